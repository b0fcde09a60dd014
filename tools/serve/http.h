/* SPDX-License-Identifier: MIT */
/*
 * http: what a request says. Bytes in, one request or one status out; no socket and no file. The parser is
 * libhttp-parser.
 */
#ifndef SERVE_HTTP_H
#define SERVE_HTTP_H

#include <http_parser.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define HTTP_HEAD_MAX	(16 * 1024)	/* request line and headers; more is 431 */
#define HTTP_TARGET_MAX	2048		/* request target; more is 414 */
#define HTTP_VALUE_MAX	256		/* of a header that we read; a longer one counts as absent */
#define HTTP_DATE_LEN	30		/* "Sun, 06 Nov 1994 08:49:37 GMT" with its NUL */

/* Headers that are read. All only narrow what is sent, so one that is too long or repeated may count as absent. */
enum http_field { HTTP_RANGE, HTTP_IF_RANGE, HTTP_IF_NONE_MATCH, HTTP_IF_MODIFIED_SINCE, HTTP_NUM_FIELDS };

/**
 * struct http_request - one request, while it is read and after
 * @status: 0 while bytes are missing, 200 for a request that can be answered, else the error to answer with
 * @started: a byte of it has come
 * @head: HEAD, so no body in the answer
 * @keep_alive: the client would send another one
 * @target: request target as sent, NUL-terminated
 * @value: values of the headers in enum http_field; empty if absent
 * The rest is the parser's.
 */
struct http_request {
	uint16_t status;
	bool started, head, keep_alive;
	uint16_t target_len;
	char target[HTTP_TARGET_MAX + 1];
	char value[HTTP_NUM_FIELDS][HTTP_VALUE_MAX];

	http_parser parser;
	char name[20];			/* header name so far; longer ones are none of ours */
	uint8_t name_len, num_hosts, spoilt;
	uint16_t value_len;
	bool in_value;
};

/* Once a process, before any http_parse(): the parser keeps its limit in a global. */
void http_init(void);

void http_request_init(struct http_request *r);

/**
 * http_parse() - read on
 * @r: changed; @r->status says how far it is
 * @p: bytes that were received
 *
 * Stops behind the last byte of a request: what follows is the next one's.
 *
 * Return: how many of the @len bytes were used; all of them while @r->status is 0.
 */
size_t http_parse(struct http_request *r, const char *p, size_t len);

/**
 * http_path() - the path that a request's target names
 * @out: percent-decoded, relative (no leading slash; "." for "/"), NUL-terminated
 *
 * Dots are left for openat2() to judge. The query is dropped.
 *
 * Return: 0, or -EINVAL: no path, a bad escape or an encoded NUL.
 */
int http_path(char out[HTTP_TARGET_MAX + 1], const struct http_request *r);

/**
 * struct http_span - bytes of a file
 */
struct http_span {
	uint64_t first, len;
};

/**
 * http_range() - what a Range header selects (RFC 9110 14.2)
 * @span: in: the whole file from 0; out: the part, if the answer is 206
 *
 * Several ranges, other units and bad syntax select the whole file, as RFC 9110 allows.
 *
 * Return: 200, 206, or 416 if the range lies beyond the end.
 */
int http_range(struct http_span *span, const char *value);

/* Is @etag (strong, quoted) in this If-None-Match value? Weak comparison, RFC 9110 8.8.3.2. */
bool http_etag_listed(const char *list, const char *etag);

void http_date(char out[HTTP_DATE_LEN], time_t t);

/* Return: seconds since the epoch, or -1 if @text is no date in the preferred format. */
time_t http_date_parse(const char *text);

const char *http_status_text(int status);

/* The method's name, once @r->started. */
const char *http_method(const struct http_request *r);

#endif
