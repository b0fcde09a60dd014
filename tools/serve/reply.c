// SPDX-License-Identifier: MIT
#include "reply.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SERVER "tlshd-serve"

/* The head is made of bounded parts that fit together, so it is never cut off. */
_Static_assert(sizeof ((struct reply *)0)->head > HTTP_TARGET_MAX + 768, "room for a redirect and all other headers");

__attribute__((format(printf, 2, 3)))
static void put(struct reply *rep, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	rep->head_len += vsnprintf(rep->head + rep->head_len, sizeof rep->head - rep->head_len, format, ap);
	va_end(ap);
}

static void put_status(struct reply *rep, int status)
{
	char date[HTTP_DATE_LEN];

	rep->status = status;
	http_date(date, time(NULL));
	put(rep, "HTTP/1.1 %d %s\r\nServer: " SERVER "\r\nDate: %s\r\n", status, http_status_text(status), date);
}

static void put_end(struct reply *rep)
{
	put(rep, "Connection: %s\r\n\r\n", rep->keep_alive ? "keep-alive" : "close");
}

static void make_error(struct reply *rep, const struct http_request *r, int status)
{
	const char *text = http_status_text(status);

	put_status(rep, status);
	if (status == 405)
		put(rep, "Allow: GET, HEAD\r\n");
	put(rep, "Content-Type: text/plain\r\nContent-Length: %zu\r\n", strlen(text) + 1);
	put_end(rep);
	if (!r->head)
		put(rep, "%s\n", text);
	rep->length = r->head ? 0 : strlen(text) + 1;
}

/* "/docs?x" to "/docs/?x". Leading slashes become one: "//host" would send the client elsewhere. */
static void make_redirect(struct reply *rep, const struct http_request *r)
{
	struct http_parser_url u;
	const char *path, *query = "";
	int path_len, query_len = 0;

	http_parser_url_init(&u);
	http_parser_parse_url(r->target, r->target_len, 0, &u);
	path = r->target + u.field_data[UF_PATH].off;
	path_len = u.field_data[UF_PATH].len;
	for (; path_len > 1 && path[1] == '/'; path_len--)
		path++;
	if (u.field_set & 1 << UF_QUERY) {
		query = r->target + u.field_data[UF_QUERY].off - 1;
		query_len = u.field_data[UF_QUERY].len + 1;
	}
	put_status(rep, 301);
	put(rep, "Location: %.*s/%.*s\r\nContent-Length: 0\r\n", path_len, path, query_len, query);
	put_end(rep);
}

static bool not_modified(const struct http_request *r, const struct file *f)
{
	const char *since = r->value[HTTP_IF_MODIFIED_SINCE];
	time_t t;

	if (r->value[HTTP_IF_NONE_MATCH][0])	/* RFC 9110 13.2.2: the tag decides alone */
		return http_etag_listed(r->value[HTTP_IF_NONE_MATCH], f->etag);
	t = *since ? http_date_parse(since) : -1;
	return t >= 0 && f->mtime <= t;
}

/* RFC 9110 13.1.5: a part only of what the client has the rest of. */
static bool range_wanted(const struct http_request *r, const struct file *f)
{
	const char *condition = r->value[HTTP_IF_RANGE];
	char date[HTTP_DATE_LEN];

	if (r->head || !r->value[HTTP_RANGE][0])
		return false;
	http_date(date, f->mtime);
	return !*condition || !strcmp(condition, f->etag) || !strcmp(condition, date);
}

static void put_file(struct reply *rep, int status)
{
	char date[HTTP_DATE_LEN];

	put_status(rep, status);
	http_date(date, rep->file.mtime);
	put(rep, "Last-Modified: %s\r\nETag: %s\r\nAccept-Ranges: bytes\r\n", date, rep->file.etag);
}

static void make_file(struct reply *rep, const struct http_request *r)
{
	struct http_span span = { .len = rep->file.size };
	int status = 200;

	if (not_modified(r, &rep->file)) {
		put_file(rep, 304);
		put_end(rep);
		return;
	}
	if (range_wanted(r, &rep->file))
		status = http_range(&span, r->value[HTTP_RANGE]);
	put_file(rep, status);
	if (status == 416) {
		put(rep, "Content-Range: bytes */%llu\r\nContent-Length: 0\r\n", (unsigned long long)rep->file.size);
		put_end(rep);
		return;
	}
	if (status == 206)
		put(rep, "Content-Range: bytes %llu-%llu/%llu\r\n", (unsigned long long)span.first,
		    (unsigned long long)(span.first + span.len - 1), (unsigned long long)rep->file.size);
	put(rep, "Content-Type: %s\r\nContent-Length: %llu\r\n", rep->file.type, (unsigned long long)span.len);
	put_end(rep);
	if (r->head)
		return;
	rep->off = span.first;
	rep->left = rep->length = span.len;
}

static int status_of(int err)
{
	switch (err) {
	case -ENOENT:
		return 404;
	case -EACCES:
		return 403;
	case -EIO:
		return 500;
	default:	/* no descriptor, no memory: it may be better in a moment */
		return 503;
	}
}

void reply_make(struct reply *rep, const struct http_request *r, int root, bool closing)
{
	char path[HTTP_TARGET_MAX + 1];
	int err;

	rep->head_len = rep->head_sent = 0;
	rep->left = rep->length = 0;
	rep->file.fd = -1;
	/* A request that came too early may come again at once, on this connection. */
	rep->keep_alive = (r->status == 200 || r->status == 425) && r->keep_alive && !closing;
	if (r->status != 200) {
		make_error(rep, r, r->status);
		return;
	}
	if (http_path(path, r)) {
		make_error(rep, r, 400);
		return;
	}
	err = file_open(&rep->file, root, path);
	if (!err)
		make_file(rep, r);
	else if (err == -EISDIR)
		make_redirect(rep, r);
	else
		make_error(rep, r, status_of(err));
	if (!rep->left)
		file_close(&rep->file);
}

void reply_end(struct reply *rep)
{
	file_close(&rep->file);
}
