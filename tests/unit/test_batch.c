/*
 * Operands to recordings, and names made safe for other languages.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cmd/batch.h"
#include "cmd/escape.h"
#include "suite.h"

static char dir[] = "/tmp/perfskew-batch.XXXXXX";

/* Files that exist, in this order; those that end in '/' are directories. */
static const char *const files[] = {
	"a.data", "a.pb.gz", "b.data", "c.pb.gz", "d.folded", "notes.txt", ".hidden.data",
	"run/", "run/perf.data", "run/cpu.pb.gz", "run2/", "run2/perf.data",
	"threads.data/", "threads.data/header", "plain/", "plain/x.data", "empty/",
};
#define NR_FILES (sizeof(files) / sizeof(*files))

static void make_files(void)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	CU_ASSERT_EQUAL_FATAL(chdir(dir), 0);
	for (size_t i = 0; i < NR_FILES; i++) {
		FILE *f;

		if (files[i][strlen(files[i]) - 1] == '/') {
			CU_ASSERT_EQUAL_FATAL(mkdir(files[i], 0700), 0);
			continue;
		}
		f = fopen(files[i], "w");
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		fclose(f);
	}
}

static void remove_files(void)
{
	for (size_t i = NR_FILES; i-- > 0;)
		CU_ASSERT_EQUAL(remove(files[i]), 0);
	CU_ASSERT_EQUAL(chdir("/"), 0);
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

/* "name=path+pprof name=path …" of the batch, against what is wanted. */
static void expect(const char *const *operands, const char *want, bool many)
{
	struct batch b;
	char got[2048] = "";
	size_t nr = 0;

	while (operands[nr])
		nr++;
	batch_expand(&b, nr, operands);
	for (size_t i = 0; i < b.nr; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s=%s%s%s", i ? " " : "", b.items[i].name,
			 b.items[i].path, b.items[i].pprof ? "+" : "", b.items[i].pprof ? b.items[i].pprof : "");
	CU_ASSERT_STRING_EQUAL(got, want);
	if (strcmp(got, want))
		printf("got  %s\nwant %s\n", got, want);
	CU_ASSERT_EQUAL(b.many, many);
	for (size_t i = 0; i < b.nr; i++)
		CU_ASSERT_PTR_EQUAL(batch_find(&b, b.items[i].name), &b.items[i]);
	batch_release(&b);
}
#define EXPECT(want, many, ...) expect((const char *const[]){__VA_ARGS__, NULL}, want, many)

static void operands(void)
{
	char cwd[4096], path[8192];

	CU_ASSERT_PTR_NOT_NULL_FATAL(getcwd(cwd, sizeof(cwd)));
	make_files();
	EXPECT("a=a.data+a.pb.gz", false, "a.data");
	EXPECT("a=a.data+a.pb.gz", true, "a.data", "a.pb.gz");
	EXPECT("a=a.pb.gz", false, "a.pb.gz");
	EXPECT("run=run+run/cpu.pb.gz", false, "run");
	EXPECT("run=run+run/cpu.pb.gz", false, "run/");
	EXPECT("run=run/perf.data", false, "run/perf.data");
	EXPECT("threads=threads.data", false, "threads.data");
	EXPECT("standard input=-", false, "-");
	EXPECT("gone=gone.data", false, "gone.data");
	EXPECT("b=b.data a=a.data+a.pb.gz", true, "b.data", "a.data");
	/* a folder, a pattern, a pattern that finds nothing */
	EXPECT("a=./a.data+./a.pb.gz b=./b.data c=./c.pb.gz d=./d.folded run=./run+./run/cpu.pb.gz run2=./run2 threads=./threads.data",
	       true, ".");
	EXPECT("x=plain/x.data", true, "plain/");
	EXPECT("empty=empty", true, "empty//");
	EXPECT("a=a.data+a.pb.gz b=b.data threads=threads.data", true, "*.data");
	EXPECT("notes.txt=notes.txt", true, "note*");
	EXPECT("x*.nothing=x*.nothing", false, "x*.nothing");
	/* one name for several */
	EXPECT("b.data=b.data ./b.data=./b.data", true, "b.data", "./b.data");
	EXPECT("b.data#1=b.data b.data#2=b.data", true, "b.data", "b.data");
	CU_ASSERT_EQUAL(chdir("run"), 0);
	snprintf(path, sizeof(path), "run=.+./cpu.pb.gz");
	EXPECT(path, false, ".");
	CU_ASSERT_EQUAL(chdir(".."), 0);
	remove_files();
	CU_ASSERT_EQUAL(chdir(cwd), 0);
}

static void expect_put(void (*put)(FILE *, const char *, size_t), const char *s, size_t max, const char *want)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	put(f, s, max);
	fclose(f);
	CU_ASSERT_STRING_EQUAL(text, want);
	if (strcmp(text, want))
		printf("got  %s\nwant %s\n", text, want);
	free(text);
}

static void names_in_markdown(void)
{
	expect_put(put_markdown_code, "main.(*T).M", 0, "`main.(*T).M`");
	expect_put(put_markdown_code, "a|b`c``d", 0, "```a│b`c``d```");
	expect_put(put_markdown_code, "`x", 0, "`` `x ``");
	expect_put(put_markdown_code, "", 0, "` `");
	expect_put(put_markdown_code, "a\nb\x1b[31m\xff\xe2\x80\xae", 0, "`a\\x0ab\\x1b[31m\xef\xbf\xbd\\u202e`");
	expect_put(put_markdown_code, "abcdefghijkl", 9, "`abcdef…jkl`");
	expect_put(put_markdown_code, "äöüßäöüßäöüß", 9, "`äöüßäö…öüß`");
	expect_put(put_markdown_code, "abcdefghi", 9, "`abcdefghi`");
}

static void names_in_xml(void)
{
	expect_put(put_xml, "<a href=\"x\">&'</a>", 0, "&lt;a href=&quot;x&quot;&gt;&amp;&#39;&lt;/a&gt;");
	expect_put(put_xml, "]]>\x01\x7f\xc2\x85\xed\xa0\x80", 0, "]]&gt;\\x01\\x7f\\x85\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	expect_put(put_xml, "\xef\xbf\xbf\xef\xbf\xbe", 0, "\xef\xbf\xbd\xef\xbf\xbd");
}

static const struct suite_test tests[] = {
	{"operands", operands},
	{"names in markdown", names_in_markdown},
	{"names in XML", names_in_xml},
	{NULL, NULL},
};
const struct suite suite_batch = {"batch", tests};
