// SPDX-License-Identifier: MIT
#include "http.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const field_names[HTTP_NUM_FIELDS] = {
	[HTTP_RANGE] = "range",
	[HTTP_IF_RANGE] = "if-range",
	[HTTP_IF_NONE_MATCH] = "if-none-match",
	[HTTP_IF_MODIFIED_SINCE] = "if-modified-since",
};

static struct http_request *request_of(http_parser *p)
{
	return p->data;
}

/* Anything but 0 stops the parser. */
static int refuse(struct http_request *r, int status)
{
	r->status = status;
	return -1;
}

static int on_begin(http_parser *p)
{
	request_of(p)->started = true;
	return 0;
}

static int on_url(http_parser *p, const char *at, size_t len)
{
	struct http_request *r = request_of(p);

	if (len > HTTP_TARGET_MAX - (size_t)r->target_len)
		return refuse(r, 414);
	memcpy(r->target + r->target_len, at, len);
	r->target_len += len;
	return 0;
}

static int field_of(const struct http_request *r)
{
	for (int i = 0; i < HTTP_NUM_FIELDS; i++)
		if (strlen(field_names[i]) == r->name_len && !strncasecmp(field_names[i], r->name, r->name_len))
			return i;
	return -1;
}

/* Between a header's value and the next name, and behind the last one: the header is whole. */
static void end_header(struct http_request *r)
{
	r->in_value = false;
	r->name_len = 0;
	r->value_len = 0;
}

static int on_field(http_parser *p, const char *at, size_t len)
{
	struct http_request *r = request_of(p);
	size_t room;

	if (r->in_value)
		end_header(r);
	/* A name that does not fit fills the array, which no name of ours does. */
	room = sizeof r->name - r->name_len;
	memcpy(r->name + r->name_len, at, len < room ? len : room);
	r->name_len += len < room ? len : room;
	return 0;
}

static void begin_value(struct http_request *r, int field)
{
	r->in_value = true;
	if (r->name_len == 4 && !strncasecmp(r->name, "host", 4) && r->num_hosts < 2)
		r->num_hosts++;
	if (field >= 0 && r->value[field][0])
		r->spoilt |= 1 << field;
}

static int on_value(http_parser *p, const char *at, size_t len)
{
	struct http_request *r = request_of(p);
	int field = field_of(r);

	if (!r->in_value)
		begin_value(r, field);
	if (field < 0)
		return 0;
	if (len >= HTTP_VALUE_MAX - (size_t)r->value_len) {
		r->spoilt |= 1 << field;
		return 0;
	}
	memcpy(r->value[field] + r->value_len, at, len);
	r->value_len += len;
	return 0;
}

/* The parser leaves white space behind a value (RFC 9112 5.1) in place. */
static void finish_values(struct http_request *r)
{
	for (int i = 0; i < HTTP_NUM_FIELDS; i++) {
		size_t len = r->spoilt & 1 << i ? 0 : strlen(r->value[i]);

		while (len && strchr(" \t", r->value[i][len - 1]))
			len--;
		r->value[i][len] = 0;
	}
}

static int on_headers_complete(http_parser *p)
{
	struct http_request *r = request_of(p);

	r->head = p->method == HTTP_HEAD;
	finish_values(r);
	if (p->http_major != 1)
		return refuse(r, 505);
	if (p->method != HTTP_GET && p->method != HTTP_HEAD)
		return refuse(r, 405);
	if (r->num_hosts > 1 || (p->http_minor > 0 && !r->num_hosts))	/* RFC 9112 3.2 */
		return refuse(r, 400);
	if (p->uses_transfer_encoding || ((p->flags & F_CONTENTLENGTH) && p->content_length))
		return refuse(r, 413);	/* a body means nothing to GET and HEAD, and unread it would pass for the next request */
	return 0;
}

static int on_complete(http_parser *p)
{
	struct http_request *r = request_of(p);

	r->keep_alive = http_should_keep_alive(p);
	r->status = 200;
	http_parser_pause(p, 1);
	return 0;
}

static const http_parser_settings settings = {
	.on_message_begin = on_begin,
	.on_url = on_url,
	.on_header_field = on_field,
	.on_header_value = on_value,
	.on_headers_complete = on_headers_complete,
	.on_message_complete = on_complete,
};

void http_init(void)
{
	http_parser_set_max_header_size(HTTP_HEAD_MAX);
}

void http_request_init(struct http_request *r)
{
	memset(r, 0, sizeof *r);
	http_parser_init(&r->parser, HTTP_REQUEST);
	r->parser.data = r;
}

static int status_of_error(const struct http_request *r)
{
	switch (HTTP_PARSER_ERRNO(&r->parser)) {
	case HPE_HEADER_OVERFLOW:
		return 431;
	case HPE_INVALID_METHOD:
		return 501;
	case HPE_INVALID_VERSION:
		return 505;
	default:
		return 400;
	}
}

size_t http_parse(struct http_request *r, const char *p, size_t len)
{
	size_t used = http_parser_execute(&r->parser, &settings, p, len);

	if (r->status)
		return used;
	if (HTTP_PARSER_ERRNO(&r->parser) != HPE_OK) {
		/* Not even a letter: no HTTP at all (a TLS ClientHello), rather than a method that we lack. */
		r->status = r->started || isalpha((unsigned char)*p) ? status_of_error(r) : 400;
		return used;
	}
	return len;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The decoded byte at @p, which moves behind it; -1 for a bad escape or a NUL. */
static int decode(const char **p, const char *end)
{
	int hi, lo;

	if (**p != '%')
		return (unsigned char)*(*p)++;
	if (end - *p < 3)
		return -1;
	hi = hex((*p)[1]);
	lo = hex((*p)[2]);
	*p += 3;
	return hi < 0 || lo < 0 || hi + lo == 0 ? -1 : hi << 4 | lo;
}

int http_path(char out[HTTP_TARGET_MAX + 1], const struct http_request *r)
{
	struct http_parser_url u;
	const char *p, *end;
	size_t len = 0;

	http_parser_url_init(&u);
	if (http_parser_parse_url(r->target, r->target_len, 0, &u))
		return -EINVAL;
	p = r->target + u.field_data[UF_PATH].off;
	end = p + (u.field_set & 1 << UF_PATH ? u.field_data[UF_PATH].len : 0);
	while (p < end) {
		int c = decode(&p, end);

		if (c < 0)
			return -EINVAL;
		if (len || c != '/')
			out[len++] = c;
	}
	if (!len)
		out[len++] = '.';
	out[len] = 0;
	return 0;
}

/* Digits at *@p, which moves behind them. Return: false without one, or beyond 64 bits. */
static bool number(const char **p, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)**p))
		return false;
	errno = 0;
	*value = strtoull(*p, &end, 10);
	*p = end;
	return !errno;
}

int http_range(struct http_span *span, const char *value)
{
	uint64_t size = span->len, first, last = UINT64_MAX;
	const char *p = value + 6;

	if (strncasecmp(value, "bytes=", 6))
		return 200;
	if (*p == '-') {
		p++;
		if (!number(&p, &last) || *p || !size)
			return 200;
		if (!last)
			return 416;
		first = last < size ? size - last : 0;
		last = size - 1;
	} else {
		if (!number(&p, &first) || *p++ != '-')
			return 200;
		if (*p && (!number(&p, &last) || *p || last < first))
			return 200;
		if (first >= size)
			return 416;
		if (last > size - 1)
			last = size - 1;
	}
	*span = (struct http_span){ first, last - first + 1 };
	return 206;
}

bool http_etag_listed(const char *list, const char *etag)
{
	size_t len = strlen(etag);

	if (!strcmp(list, "*"))
		return true;
	/* Our tags hold no comma, so tokens between commas are enough. */
	while (*list) {
		list += strspn(list, " \t,");
		if (!strncmp(list, "W/", 2))
			list += 2;
		if (!strncmp(list, etag, len) && strchr(", \t", list[len]))
			return true;
		list += strcspn(list, ",");
	}
	return false;
}

void http_date(char out[HTTP_DATE_LEN], time_t t)
{
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(out, HTTP_DATE_LEN, "%a, %d %b %Y %H:%M:%S GMT", &tm))
		strcpy(out, "Thu, 01 Jan 1970 00:00:00 GMT");
}

time_t http_date_parse(const char *text)
{
	struct tm tm = {};
	const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);

	return end && !*end ? timegm(&tm) : -1;
}

const char *http_status_text(int status)
{
	return status == 425 ? "Too Early" : http_status_str((enum http_status)status);	/* RFC 8470 is younger than the library */
}

const char *http_method(const struct http_request *r)
{
	return http_method_str((enum http_method)r->parser.method);
}
