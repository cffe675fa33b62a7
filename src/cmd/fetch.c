#include "cmd/fetch.h"

#define CURL_DISABLE_TYPECHECK /* calls go through pointers */
#include <curl/curl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/library.h"
#include "base/output.h"

/* Largest answer that is kept; a trace of a busy program grows by some 70 MB a second. */
#define ANSWER_MAX ((size_t)16 << 30)
/* Between two attempts to connect. */
#define RETRY_MS 50
#define NR_SOCKETS (sizeof(((struct fetch *)NULL)->sockets) / sizeof(int))

/* As it has been called since 7.16.0; a call that an older one has not is named in the error. */
#define CURL_SONAME "libcurl.so.4"
#define FOREACH_CURL_CALL(X) \
	X(curl_easy_cleanup) X(curl_easy_getinfo) X(curl_easy_init) X(curl_easy_setopt) \
	X(curl_easy_strerror) X(curl_free) X(curl_global_cleanup) X(curl_global_init) \
	X(curl_multi_add_handle) X(curl_multi_cleanup) X(curl_multi_info_read) X(curl_multi_init) \
	X(curl_multi_perform) X(curl_multi_poll) X(curl_multi_remove_handle) X(curl_url) \
	X(curl_url_cleanup) X(curl_url_get) X(curl_url_set) X(curl_url_strerror)

static struct curl_calls {
	FOREACH_CURL_CALL(LIBRARY_POINTER)
} curl;

#define X(name) {#name, &curl.name},
static const struct library_call curl_calls[] = {FOREACH_CURL_CALL(X)};
#undef X

struct fetch {
	struct fetch *next;
	struct fetch_set *set;
	CURL *easy;
	char *url;
	bool wait, added;
	enum fetch_state state;
	int64_t retry_at; /* ms, monotonic */
	struct output out;
	bool out_open;
	int sockets[8]; /* -1: free */
	size_t size;
	char refusal[200]; /* beginning of the text that came with a status other than 200 */
	size_t refusal_size;
	struct error error;
};

struct fetch_set {
	CURLM *multi;
	struct fetch *first;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

bool fetch_is_url(const char *text)
{
	return !strncasecmp(text, "http://", 7) || !strncasecmp(text, "https://", 8);
}

struct fetch_set *fetch_set_new(void)
{
	return xcalloc(1, sizeof(struct fetch_set));
}

/* libcurl is there from the first fetch on. */
static int open_curl(struct fetch_set *s, struct error *e)
{
	const char *failed;

	if (s->multi)
		return 0;
	failed = library_open(CURL_SONAME, curl_calls, sizeof(curl_calls) / sizeof(*curl_calls));
	if (failed)
		return error_set(e, EXIT_CODE_INPUT, "%s", failed);
	curl.curl_global_init(CURL_GLOBAL_DEFAULT);
	s->multi = curl.curl_multi_init();
	if (!s->multi)
		abort(); /* no memory: everything else here never fails for that either */
	return 0;
}

/* Takes a fetch out of the set's transfers. */
static void settle(struct fetch *f, enum fetch_state state)
{
	if (f->added)
		curl.curl_multi_remove_handle(f->set->multi, f->easy);
	f->added = false;
	f->state = state;
	if (state == FETCH_FAILED && f->out_open) {
		output_discard(&f->out);
		f->out_open = false;
	}
}

void fetch_set_free(struct fetch_set *s)
{
	while (s->first) {
		struct fetch *f = s->first;

		s->first = f->next;
		settle(f, FETCH_FAILED);
		curl.curl_easy_cleanup(f->easy);
		free(f->url);
		free(f);
	}
	if (s->multi) {
		curl.curl_multi_cleanup(s->multi);
		curl.curl_global_cleanup();
	}
	free(s);
}

static size_t receive(char *data, size_t size, size_t nmemb, void *ctx)
{
	struct fetch *f = ctx;
	size_t n = size * nmemb, room;
	long status = 0;

	curl.curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200) {
		room = sizeof(f->refusal) - 1 - f->refusal_size;
		memcpy(f->refusal + f->refusal_size, data, n < room ? n : room);
		f->refusal_size += n < room ? n : room;
		return n;
	}
	if (n > ANSWER_MAX - f->size) {
		error_set(&f->error, EXIT_CODE_LIMIT, "%s: over %zu MiB came", f->url, ANSWER_MAX >> 20);
		return 0;
	}
	f->size += n;
	return fwrite(data, 1, n, f->out.f);
}

/* libcurl tells a transfer's socket only after the transfer (CURLINFO_ACTIVESOCKET), so keep count. */
static int opened(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	struct fetch *f = ctx;

	(void)purpose;
	for (size_t i = 0; i < NR_SOCKETS; i++) {
		if (f->sockets[i] < 0) {
			f->sockets[i] = fd;
			break;
		}
	}
	return CURL_SOCKOPT_OK;
}

static int closed(void *ctx, curl_socket_t fd)
{
	struct fetch *f = ctx;

	for (size_t i = 0; i < NR_SOCKETS; i++)
		if (f->sockets[i] == fd)
			f->sockets[i] = -1;
	return close(fd);
}

/* BASE[/debug/pprof[/…]] to BASE/debug/pprof/WHAT?seconds=N, or NULL with *e. */
static char *make_url(const char *base, const char *what, size_t seconds, struct error *e)
{
	static const char endpoints[] = "/debug/pprof";
	CURLU *u = curl.curl_url();
	char *path = NULL, *whole = NULL, *result = NULL, *query;
	CURLUcode code = curl.curl_url_set(u, CURLUPART_URL, base, 0);

	if (!code)
		code = curl.curl_url_get(u, CURLUPART_PATH, &path, 0);
	if (!code) {
		char *known = strstr(path, endpoints), *made;
		size_t len = known ? (size_t)(known - path) : strlen(path);

		while (len && path[len - 1] == '/')
			len--;
		made = xasprintf("%.*s%s/%s", (int)len, path, endpoints, what);
		query = xasprintf("seconds=%zu", seconds);
		code = curl.curl_url_set(u, CURLUPART_PATH, made, 0);
		if (!code)
			code = curl.curl_url_set(u, CURLUPART_QUERY, query, 0);
		if (!code)
			code = curl.curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);
		if (!code)
			code = curl.curl_url_get(u, CURLUPART_URL, &whole, 0);
		free(made);
		free(query);
	}
	if (code)
		error_set(e, EXIT_CODE_USAGE, "%s: %s", base, curl.curl_url_strerror(code));
	else
		result = xstrdup(whole);
	curl.curl_free(whole);
	curl.curl_free(path);
	curl.curl_url_cleanup(u);
	return result;
}

struct fetch *fetch_start(struct fetch_set *s, const char *base, const char *what, size_t seconds,
			  const char *path, bool wait, struct error *e)
{
	char *url = open_curl(s, e) < 0 ? NULL : make_url(base, what, seconds, e);
	struct fetch *f;
	CURL *c;

	if (!url)
		return NULL;
	f = xcalloc(1, sizeof(*f));
	if (output_open(&f->out, path, e) < 0) {
		free(url);
		free(f);
		return NULL;
	}
	f->out_open = true;
	f->url = url;
	f->wait = wait;
	for (size_t i = 0; i < NR_SOCKETS; i++)
		f->sockets[i] = -1;
	f->easy = c = curl.curl_easy_init();
	curl.curl_easy_setopt(c, CURLOPT_URL, url);
	curl.curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl.curl_easy_setopt(c, CURLOPT_PRIVATE, (char *)f);
	curl.curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, receive);
	curl.curl_easy_setopt(c, CURLOPT_WRITEDATA, f);
	curl.curl_easy_setopt(c, CURLOPT_SOCKOPTFUNCTION, opened);
	curl.curl_easy_setopt(c, CURLOPT_SOCKOPTDATA, f);
	curl.curl_easy_setopt(c, CURLOPT_CLOSESOCKETFUNCTION, closed);
	curl.curl_easy_setopt(c, CURLOPT_CLOSESOCKETDATA, f);
	curl.curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
	curl.curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 10L);
	curl.curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)seconds + 60);
	curl.curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	if (!getenv("no_proxy") && !getenv("NO_PROXY"))
		curl.curl_easy_setopt(c, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
	f->set = s;
	f->next = s->first;
	s->first = f;
	f->state = FETCH_WAITING;
	f->added = true;
	curl.curl_multi_add_handle(s->multi, c);
	return f;
}

enum fetch_state fetch_state(const struct fetch *f)
{
	return f->state;
}

const struct error *fetch_error(const struct fetch *f)
{
	return &f->error;
}

/* A transfer ended, one way or the other. */
static void ended(struct fetch *f, CURLcode code)
{
	long status = 0;

	if (code == CURLE_COULDNT_CONNECT && f->wait) {
		settle(f, FETCH_WAITING);
		f->retry_at = now_ms() + RETRY_MS;
		return;
	}
	curl.curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	if (code) {
		if (!f->error.text[0])
			error_set(&f->error, EXIT_CODE_INPUT, "%s: %s", f->url, curl.curl_easy_strerror(code));
	} else if (status != 200) {
		error_set(&f->error, EXIT_CODE_INPUT, "%s: HTTP status %ld: %.*s", f->url, status,
			  (int)strcspn(f->refusal, "\r\n"), f->refusal);
	} else if (output_commit(&f->out, &f->error) == 0) {
		f->out_open = false;
		settle(f, FETCH_DONE);
		return;
	} else {
		f->out_open = false;
	}
	settle(f, FETCH_FAILED);
}

void fetch_poll(struct fetch_set *s, int fd, int milliseconds)
{
	struct curl_waitfd extra = {.fd = fd, .events = CURL_WAIT_POLLIN};
	int running, left;
	CURLMsg *m;

	if (!s->multi) {
		poll(&(struct pollfd){.fd = fd, .events = POLLIN}, fd >= 0, milliseconds);
		return;
	}
	for (struct fetch *f = s->first; f; f = f->next) {
		if (f->state != FETCH_WAITING || f->added)
			continue;
		if (now_ms() >= f->retry_at) {
			f->added = true;
			curl.curl_multi_add_handle(s->multi, f->easy);
		} else if (milliseconds > RETRY_MS) {
			milliseconds = RETRY_MS;
		}
	}
	curl.curl_multi_perform(s->multi, &running);
	for (struct fetch *f = s->first; f; f = f->next) {
		curl_off_t sent = 0;

		if (f->state == FETCH_WAITING && f->added &&
		    !curl.curl_easy_getinfo(f->easy, CURLINFO_PRETRANSFER_TIME_T, &sent) && sent > 0)
			f->state = FETCH_RUNNING;
	}
	while ((m = curl.curl_multi_info_read(s->multi, &left))) {
		char *f = NULL;
		CURLcode code = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl.curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &f);
		ended((struct fetch *)(void *)f, code);
	}
	curl.curl_multi_poll(s->multi, &extra, fd >= 0, milliseconds, NULL);
}

void fetch_cut_short(struct fetch *f)
{
	for (size_t i = 0; i < NR_SOCKETS; i++)
		if (f->state == FETCH_RUNNING && f->sockets[i] >= 0)
			shutdown(f->sockets[i], SHUT_WR);
}

void fetch_give_up(struct fetch *f, const char *why)
{
	if (f->state != FETCH_WAITING && f->state != FETCH_RUNNING)
		return;
	if (!f->error.text[0])
		error_set(&f->error, EXIT_CODE_INPUT, "%s: %s", f->url, why);
	settle(f, FETCH_FAILED);
}
