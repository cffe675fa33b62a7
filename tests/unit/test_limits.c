/*
 * The thresholds of `perfskew check`: shares, names, the file and its errors.
 */
#include <stdio.h>
#include <string.h>

#include "cmd/limits.h"
#include "suite.h"

static int parse(struct limits *l, const char *text, struct error *e)
{
	*l = (struct limits){0};
	return limits_parse(l, "perfskew.ini", text, strlen(text), e);
}

static void expect_limit(const struct limits *l, size_t i, const char *text, double max)
{
	char buf[256];

	CU_ASSERT_TRUE_FATAL(i < l->nr);
	CU_ASSERT_STRING_EQUAL(limit_text(buf, sizeof(buf), &l->v[i]), text);
	CU_ASSERT_DOUBLE_EQUAL(l->v[i].max, max, 1e-12);
}

static void a_file(void)
{
	static const char *const text =
		"\xef\xbb\xbf# thresholds\r\n"
		"max-truncated = 5%\r\n"
		"max_lost = 0.001 ; a tenth of a percent\n"
		"[check]\n"
		"  max-runtime-share=40 %\n"
		"max-skew = 10%   # in all\n"
		"\n"
		"[skew]\n"
		"\tpreemption_capture_excess = '2%'\n"
		"user_code_share_error = 150%\n"
		"[growth]\n"
		"\"encoding/json.*\" = \"1%\" # TOML\n"
		"main.(*T).M[...] = 3e-2\n"
		"[growth_cum]\n"
		"main.main = 0.5";
	struct limits l;
	struct error e;

	CU_ASSERT_EQUAL_FATAL(parse(&l, text, &e), 0);
	CU_ASSERT_EQUAL(l.nr, 9);
	expect_limit(&l, 0, "max-truncated", 0.05);
	expect_limit(&l, 1, "max-lost", 0.001);
	expect_limit(&l, 2, "max-runtime-share", 0.4);
	expect_limit(&l, 3, "max-skew total_variation_self", 0.1);
	expect_limit(&l, 4, "max-skew preemption_capture_excess", 0.02);
	expect_limit(&l, 5, "max-skew user_code_share_error", 1.5);
	expect_limit(&l, 6, "max-growth encoding/json.*", 0.01);
	expect_limit(&l, 7, "max-growth main.(*T).M[...]", 0.03);
	expect_limit(&l, 8, "max-growth-cum main.main", 0.5);
	CU_ASSERT_EQUAL(l.v[5].line, 10);
	CU_ASSERT_TRUE(limits_have(&l, LIMIT_LOST));
	limits_release(&l);
}

static void errors_name_the_line(void)
{
	static const struct {
		const char *text, *line, *what;
	} rows[] = {
		{"\nmax-truncated = 5\n", "perfskew.ini:2: ", "above 100 %"},
		{"max-truncated = -1%\n", "perfskew.ini:1: ", "below 0"},
		{"max-lost = some\n", "perfskew.ini:1: ", "'some' is not a share"},
		{"max-lost =\n", "perfskew.ini:1: ", "'' is not a share"},
		{"max-lost = 5%%\n", "perfskew.ini:1: ", "is not a share"},
		{"max-lost = nan\n", "perfskew.ini:1: ", "is not a share"},
		{"max-lost = 0x1\n", "perfskew.ini:1: ", "is not a share"},
		{"max-lost = 1e999\n", "perfskew.ini:1: ", "is not a share"},
		{"max-lost = 1%\n\nmax-lost = 2%\n", "perfskew.ini:3: ", "on line 1"},
		{"max-losses = 1%\n", "perfskew.ini:1: ", "no threshold 'max-losses'"},
		{"[skew]\nno_metric = 1%\n", "perfskew.ini:2: ", "total_variation_self"},
		{"[other]\nx = 1%\n", "perfskew.ini:2: ", "no section [other]"},
		{"max-lost = 1%\n[skew\n", "perfskew.ini:2: ", "neither a [section]"},
		{"max-lost\n", "perfskew.ini:1: ", "neither a [section]"},
		{"[growth]\n\"type:.eq.x\" = 1%\n", "perfskew.ini:2: ", "a quote without its other"},
		{"[growth]\nx = \"1%\n", "perfskew.ini:2: ", "a quote without its other"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct limits l;
		struct error e = {.text = ""};

		CU_ASSERT_EQUAL(parse(&l, rows[i].text, &e), -1);
		CU_ASSERT_EQUAL(e.code, EXIT_CODE_USAGE);
		CU_ASSERT_EQUAL(strncmp(e.text, rows[i].line, strlen(rows[i].line)), 0);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, rows[i].what));
		if (!strstr(e.text, rows[i].what) || strncmp(e.text, rows[i].line, strlen(rows[i].line)))
			printf("row %zu: %s\n", i, e.text);
		limits_release(&l);
	}
}

static void odd_bytes(void)
{
	static const char nul[] = "max-lost = 1%\nmax\0-truncated = 1%\n";
	struct limits l = {0};
	struct error e;
	char line[4096];

	CU_ASSERT_EQUAL(limits_parse(&l, "f", nul, sizeof(nul) - 1, &e), -1);
	CU_ASSERT_STRING_EQUAL(e.text, "f:2: holds a NUL byte");
	limits_release(&l);
	memset(line, 'x', sizeof(line));
	CU_ASSERT_EQUAL(limits_parse(&l, "f", line, sizeof(line), &e), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "f:1: is longer than"));
	limits_release(&l);
	CU_ASSERT_EQUAL(limits_parse(&l, "f", "", 0, &e), 0);
	CU_ASSERT_EQUAL(l.nr, 0);
}

static void options_replace_the_file(void)
{
	struct limits l;
	struct error e;

	CU_ASSERT_EQUAL_FATAL(parse(&l, "max-lost = 1%\n[growth]\nmain.f = 1%\n", &e), 0);
	CU_ASSERT_EQUAL(limits_set(&l, LIMIT_LOST, "2%", &e), 0);
	CU_ASSERT_EQUAL(limits_set(&l, LIMIT_GROWTH, "main.f=4%", &e), 0);
	CU_ASSERT_EQUAL(limits_set(&l, LIMIT_GROWTH, "3%", &e), 0);
	CU_ASSERT_EQUAL(limits_set(&l, LIMIT_GROWTH, "operator==(A, B)=3%", &e), 0);
	CU_ASSERT_EQUAL(l.nr, 4);
	expect_limit(&l, 0, "max-lost", 0.02);
	expect_limit(&l, 1, "max-growth main.f", 0.04);
	expect_limit(&l, 2, "max-growth *", 0.03);
	expect_limit(&l, 3, "max-growth operator==(A, B)", 0.03);
	CU_ASSERT_EQUAL(limits_set(&l, LIMIT_LOST, "x=2%", &e), -1);
	CU_ASSERT_STRING_EQUAL(e.text, "--max-lost: max-lost takes a value alone");
	CU_ASSERT_EQUAL(limits_set(&l, LIMIT_SKEW, "=2%", &e), -1);
	CU_ASSERT_EQUAL(limits_set(&l, LIMIT_SKEW, "x=2%", &e), -1);
	limits_release(&l);
}

static void patterns(void)
{
	CU_ASSERT_TRUE(limit_matches("*", ""));
	CU_ASSERT_TRUE(limit_matches("*", "main.main"));
	CU_ASSERT_TRUE(limit_matches("main.(*T).M", "main.(*T).M"));
	CU_ASSERT_TRUE(limit_matches("main.F[...]", "main.F[...]"));
	CU_ASSERT_TRUE(limit_matches("encoding/json.*", "encoding/json.Marshal"));
	CU_ASSERT_TRUE(limit_matches("*ab*ab", "aabxabab"));
	CU_ASSERT_FALSE(limit_matches("encoding/json.*", "encoding/jsonx"));
	CU_ASSERT_FALSE(limit_matches("main.f", "main.fx"));
	CU_ASSERT_FALSE(limit_matches("", "x"));
	CU_ASSERT_FALSE(limit_matches("*ab*ab", "aabxaba"));
}

static const struct suite_test tests[] = {
	{"a file", a_file},
	{"errors name the line", errors_name_the_line},
	{"odd bytes", odd_bytes},
	{"options replace the file", options_replace_the_file},
	{"patterns", patterns},
	{NULL, NULL},
};
const struct suite suite_limits = {"limits", tests};
