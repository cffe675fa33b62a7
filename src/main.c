/*
 * perfskew: finds the command, parses its options, runs it, exits.
 */
#include <signal.h>
#include <stdio.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/output.h"
#include "cmd/cmd.h"
#include "cmd/confine.h"
#include "cmd/cost.h"
#include "cmd/message.h"

static const struct cmd *const commands[] = {
#define X(name) &cmd_##name,
	FOREACH_CMD(X)
#undef X
};

#define NR_COMMANDS (sizeof(commands) / sizeof(*commands))

/* Leaves no partial file behind, then dies of the signal as if it had not been caught. */
static void on_signal(int sig)
{
	static const char text[] = "perfskew: the CPU time that --max-cpu allows is used up\n";

	output_abort_all();
	if (sig == SIGXCPU && confine_cpu_limit()) {
		if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
			_exit(EXIT_CODE_LIMIT);
		_exit(EXIT_CODE_LIMIT);
	}
	signal(sig, SIG_DFL);
	raise(sig);
}

static void catch_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXCPU};
	struct sigaction sa = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN}, old;

	/* who waits for a pipe's reader to go (Python's subprocess, a CI runner) may have left this ignored */
	signal(SIGPIPE, SIG_DFL);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &sa, NULL);
	/* a file that may grow no further (ulimit -f) is an output that cannot be written */
	sigaction(SIGXFSZ, &ignore, NULL);
}

static void out_of_memory(size_t bytes)
{
	const char *limit = confine_memory_limit();
	char text[160];
	int n = snprintf(text, sizeof(text), "perfskew: out of memory%s%.40s (%zu bytes more were needed)\n",
			 limit ? " that is allowed, --max-memory " : "", limit ? limit : "", bytes);

	output_abort_all();
	if (write(STDERR_FILENO, text, (size_t)n) < 0)
		_exit(EXIT_CODE_LIMIT);
	_exit(EXIT_CODE_LIMIT);
}

static void usage(FILE *f)
{
	fputs("Usage: perfskew COMMAND [OPTION]... [FILE]...\n"
	      "Call stacks of Go programs from perf recordings, flame graphs, and how far pprof is from perf.\n\n"
	      "Commands:\n",
	      f);
	for (size_t i = 0; i < NR_COMMANDS; i++)
		fprintf(f, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\nEvery FILE is recognised by its content: perf.data (file, pipe, directory), pprof profile,\n"
	      "folded stacks; '-' is standard input. 'perfskew COMMAND --help' tells more; man perfskew all.\n",
	      f);
}

static void help(const struct cmd *cmd)
{
	printf("Usage: perfskew %s [OPTION]... %s\n%s\n", cmd->name, cmd->args, cmd->summary);
	if (cmd->help)
		printf("\n%s\n", cmd->help);
	options_help(cmd->groups);
	printf("  %-30s %s\n  %-30s %s\n", "-h, --help", "this text", "    --version", "the version");
}

static const struct cmd *find(const char *name)
{
	for (size_t i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

/* Standard output is checked too: a full disk behind '>' must not pass for success. */
static int close_stdout(int code)
{
	if ((fflush(stdout) == 0 && !ferror(stdout)) || code == EXIT_CODE_OUTPUT) /* then it was said */
		return code;
	message("standard output: cannot write");
	return EXIT_CODE_OUTPUT;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	void *options = xcalloc(1, cmd->size);
	struct error e;
	int operands, code;

	switch (options_parse(cmd->groups, options, argc, argv, &operands, &e)) {
	case 0:
		code = cmd->run(options, operands, argv);
		cost_total();
		break;
	case 1:
		help(cmd);
		code = EXIT_CODE_OK;
		break;
	case 2:
		puts("perfskew " PACKAGE_VERSION);
		code = EXIT_CODE_OK;
		break;
	default:
		message("%s: %s (see perfskew %s --help)", cmd->name, e.text, cmd->name);
		code = EXIT_CODE_USAGE;
	}
	confine_end();
	options_release(cmd->groups, options);
	free(options);
	return code;
}

/*
 * One heap for all threads, which grows by megabytes. Glibc gives each thread its own, and these grow page by page: 550 calls
 * a run, each of which keeps the other threads' page faults waiting.
 */
static void prepare_heap(void)
{
#ifdef __GLIBC__
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TOP_PAD, 4 << 20);
#endif
}

int main(int argc, char **argv)
{
	const struct cmd *cmd;

	prepare_heap();
	cost_start();
	alloc_set_handler(out_of_memory);
	catch_signals();
	if (argc < 2) {
		usage(stderr);
		return EXIT_CODE_USAGE;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("perfskew " PACKAGE_VERSION);
		return close_stdout(EXIT_CODE_OK);
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		cmd = argc > 2 ? find(argv[2]) : NULL;
		if (cmd)
			help(cmd);
		else
			usage(stdout);
		return close_stdout(EXIT_CODE_OK);
	}
	cmd = find(argv[1]);
	if (!cmd) {
		message("no command '%s' (see perfskew --help)", argv[1]);
		return EXIT_CODE_USAGE;
	}
	return close_stdout(run(cmd, argc - 1, argv + 1));
}
