// SPDX-License-Identifier: MIT
#include "tests/interop/talk.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define DATA_MAX	16384
#define LINE_MAX	64

bool talk_keep_early(struct talk *t, const uint8_t *data, size_t len)
{
	if (len > sizeof(t->early) - t->early_len)
		return false;
	memcpy(t->early + t->early_len, data, len);
	t->early_len += len;
	return true;
}

/* Early data first. */
static ssize_t get_data(struct talk *t, uint8_t *out, size_t max)
{
	size_t early = t->early_len - t->early_read;
	ssize_t n;

	if (early > max)
		early = max;
	memcpy(out, t->early + t->early_read, early);
	t->early_read += early;
	n = early ? (ssize_t)early : channel_read(&t->ch, out, max);
	t->received += n > 0 ? (size_t)n : 0;
	return n;
}

static bool put_data(struct talk *t, const void *data, size_t len)
{
	t->sent += len;
	return channel_write(&t->ch, data, len);
}

static bool echo(struct talk *t, const struct options *opt)
{
	uint8_t data[DATA_MAX];
	size_t num = 0;
	ssize_t n;

	while ((n = get_data(t, data, sizeof(data))) > 0) {
		if (!num++ && opt->key_update && !channel_update_keys(&t->ch, true))
			return false;
		if (!put_data(t, data, (size_t)n))
			return false;
	}
	return n == 0;
}

/* Returns its length, 0 if there is none, -1 without a whole one. */
static ssize_t get_request(struct talk *t, char *request, size_t max)
{
	size_t len = 0;

	do {
		ssize_t n = len < max - 1 ? get_data(t, (uint8_t *)request + len, max - 1 - len) : -1;

		if (n <= 0)
			return n == 0 && len == 0 ? 0 : -1;
		len += (size_t)n;
		request[len] = 0;
	} while (!strstr(request, "\r\n\r\n"));
	return (ssize_t)len;
}

/* @opt->bytes bytes of "x". */
static bool answer_request(struct talk *t, const struct options *opt, const char *connection)
{
	uint8_t data[DATA_MAX];
	size_t len;

	len = (size_t)sprintf((char *)data, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: %s\r\n\r\n", opt->bytes,
			      connection);
	if (!put_data(t, data, len))
		return false;
	memset(data, 'x', DATA_MAX);
	for (size_t left = opt->bytes; left > 0; left -= len) {
		len = left < DATA_MAX ? left : DATA_MAX;
		if (!put_data(t, data, len))
			return false;
	}
	return true;
}

static bool serve_http(struct talk *t, const struct options *opt)
{
	char request[4 * DATA_MAX + 1];
	bool last = false;
	ssize_t n = 1;
	int num = 0;

	for (; !last && (n = get_request(t, request, sizeof(request))) > 0; num++) {
		last = strstr(request, "HTTP/1.0\r\n") || strstr(request, "Connection: close\r\n");
		if (num == 0 && opt->key_update && !channel_update_keys(&t->ch, true))
			return false;
		if (!answer_request(t, opt, last ? "close" : "keep-alive"))
			return false;
	}
	return n >= 0 && num > 0;
}

/* What we sent comes back. */
static bool get_back(struct talk *t, const uint8_t *line, size_t len)
{
	uint8_t data[DATA_MAX];
	size_t got = 0;

	while (got < len) {
		ssize_t n = get_data(t, data, len - got);

		if (n <= 0 || memcmp(data, line + got, (size_t)n))
			return false;
		got += (size_t)n;
	}
	return true;
}

/* Lines out, the same back, in turns so that neither side's buffers fill. */
static bool send_bytes(struct talk *t, const struct options *opt)
{
	uint8_t line[1000];
	size_t len;

	for (size_t i = 0; i < sizeof(line); i++)
		line[i] = (uint8_t)('a' + (i * i) % 26);
	for (size_t left = opt->bytes; left > 0; left -= len) {
		len = left < sizeof(line) ? left : sizeof(line);
		line[len - 1] = '\n';
		if (!put_data(t, line, len) || !get_back(t, line, len))
			return false;
	}
	return true;
}

static bool send_lines(struct talk *t, const struct options *opt)
{
	char line[LINE_MAX];

	for (size_t i = 1; i <= opt->lines; i++) {
		int len = snprintf(line, sizeof(line), "line %zu of our client\n", i);

		if (i == 2 && opt->key_update && !channel_update_keys(&t->ch, true))
			return false;
		if (!put_data(t, line, (size_t)len) || !get_back(t, (uint8_t *)line, (size_t)len))
			return false;
	}
	return true;
}

const char *talk_early(const struct options *opt)
{
	static char request[DATA_MAX];

	if (!opt->get)
		return "early line of our client\n";
	snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\n\r\n", opt->get);
	return request;
}

static bool fetch(struct talk *t, const struct options *opt)
{
	const char *request = talk_early(opt);
	uint8_t data[DATA_MAX];
	FILE *f;
	ssize_t n;

	if (opt->key_update && !channel_update_keys(&t->ch, true))
		return false;
	if (!t->early_taken && !put_data(t, request, strlen(request)))
		return false;
	f = fopen(opt->out ? opt->out : "/dev/null", "w");
	if (!f) {
		t->ch.error = "--out cannot be written";
		return false;
	}
	while ((n = get_data(t, data, sizeof(data))) > 0)
		fwrite(data, 1, (size_t)n, f);
	fclose(f);
	return n == 0 || (opt->any_end && t->received > 0);
}

/* What still comes counts: the answer to a KeyUpdate, tickets. */
static void say_goodbye(struct talk *t)
{
	uint8_t data[DATA_MAX];

	channel_alert(&t->ch, ALERT_CLOSE_NOTIFY);
	shutdown(t->ch.fd, SHUT_WR);
	while (channel_read(&t->ch, data, sizeof(data)) > 0)
		continue;
}

bool talk_run(struct talk *t, const struct options *opt)
{
	bool ok;

	if (opt->server)
		ok = opt->http ? serve_http(t, opt) : echo(t, opt);
	else
		ok = opt->get ? fetch(t, opt) : opt->lines ? send_lines(t, opt) : send_bytes(t, opt);
	if (ok)
		say_goodbye(t);
	return ok;
}
