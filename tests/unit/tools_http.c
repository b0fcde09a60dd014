// SPDX-License-Identifier: MIT
/* serve/http: however a request's bytes are cut, it means the same; and no byte of it leads out of bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/serve/http.h"

struct sample {
	const char *request;
	int status;
	const char *path, *range;
};

static const struct sample samples[] = {
	{ "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200, ".", "" },
	{ "GET /a%20b/%C3%A9?q=%zz HTTP/1.1\r\nHost: a\r\nRange: bytes=1-2\r\n\r\n", 200, "a b/\xc3\xa9", "bytes=1-2" },
	{ "\r\nHEAD //x//y HTTP/1.0\r\nrange:\tbytes=1- \t\r\n\r\n", 200, "x//y", "bytes=1-" },
	{ "GET http://h:80/p HTTP/1.1\r\nHOST: h\r\nIf-Range: \"x\"\r\nRange: a\r\nRange: b\r\n\r\n", 200, "p", "" },
	{ "GET /x HTTP/1.1\r\nRange-Unit: x\r\nHost: a\r\nX-If-Modified-Since-Or-Something-Longer: y\r\n\r\n", 200, "x", "" },
	{ "GET /x HTTP/1.1\r\nHost: a\r\nRange:\r\n folded\r\n\r\n", 200, "x", "folded" },
	{ "GET / HTTP/1.1\r\nA: b\r\n\r\n", 400, NULL, NULL },
	{ "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", 405, NULL, NULL },
	{ "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", 413, NULL, NULL },
	{ "GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505, NULL, NULL },
	{ "GOT / HTTP/1.1\r\n\r\n", 501, NULL, NULL },
	{ "GET / HTTP/1.1\r\nHost a\r\n\r\n", 400, NULL, NULL },
};
#define NUM_SAMPLES (sizeof samples / sizeof *samples)

static void assert_means(const struct http_request *r, const struct sample *s)
{
	char path[HTTP_TARGET_MAX + 1];

	assert_int_equal(r->status, s->status);
	if (s->status != 200)
		return;
	assert_int_equal(http_path(path, r), 0);
	assert_string_equal(path, s->path);
	assert_string_equal(r->value[HTTP_RANGE], s->range);
}

static void a_request_means_the_same_however_it_is_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUM_SAMPLES; i++) {
		size_t len = strlen(samples[i].request);

		for (size_t cut = 1; cut < len; cut++) {
			struct http_request r;

			http_request_init(&r);
			if (http_parse(&r, samples[i].request, cut) == cut && !r.status)
				http_parse(&r, samples[i].request + cut, len - cut);
			assert_means(&r, &samples[i]);
		}
	}
}

static void a_request_means_the_same_byte_by_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUM_SAMPLES; i++) {
		struct http_request r;

		http_request_init(&r);
		for (const char *p = samples[i].request; *p && !r.status; p++)
			http_parse(&r, p, 1);
		assert_means(&r, &samples[i]);
	}
}

static void parsing_stops_behind_a_request(void **state)
{
	static const char two[] = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n";
	struct http_request r;
	size_t used;

	(void)state;
	http_request_init(&r);
	used = http_parse(&r, two, sizeof two - 1);
	assert_int_equal(r.status, 200);
	assert_true(r.keep_alive);
	assert_memory_equal(two + used, "GET /2", 6);
}

/* Under the sanitizers: any single byte changed, in a buffer of exactly that size. */
static void any_changed_byte_is_survived(void **state)
{
	char path[HTTP_TARGET_MAX + 1];

	(void)state;
	for (size_t i = 0; i < NUM_SAMPLES; i++) {
		size_t len = strlen(samples[i].request);
		char *copy = malloc(len);

		assert_non_null(copy);
		for (size_t at = 0; at < len; at++)
			for (int byte = 0; byte < 256; byte++) {
				struct http_request r;

				memcpy(copy, samples[i].request, len);
				copy[at] = (char)byte;
				http_request_init(&r);
				assert_true(http_parse(&r, copy, len) <= len);
				if (r.status == 200 && !http_path(path, &r))
					assert_true(path[0] && path[0] != '/');
			}
		free(copy);
	}
}

/* So that each limit is met by a sum of pieces. */
static void parse_in_pieces(struct http_request *r, const char *request)
{
	for (size_t left = strlen(request), n; left && !r->status; request += n, left -= n) {
		n = left < 100 ? left : 100;
		http_parse(r, request, n);
	}
}

static void a_value_that_is_too_long_counts_as_absent(void **state)
{
	(void)state;
	for (int extra = 0; extra < 2; extra++) {
		static const char head[] = "GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: ";
		char request[sizeof head + HTTP_VALUE_MAX + 64];
		struct http_request r;

		strcpy(request, head);
		memset(request + strlen(head), 'v', HTTP_VALUE_MAX - 1 + extra);
		strcpy(request + strlen(head) + HTTP_VALUE_MAX - 1 + extra, "\r\nRange: bytes=0-1\r\n\r\n");
		http_request_init(&r);
		parse_in_pieces(&r, request);
		assert_int_equal(r.status, 200);
		assert_int_equal(strlen(r.value[HTTP_IF_NONE_MATCH]), extra ? 0 : HTTP_VALUE_MAX - 1);
		assert_string_equal(r.value[HTTP_RANGE], "bytes=0-1");
		assert_string_equal(r.value[HTTP_IF_MODIFIED_SINCE], "");
	}
}

static void a_target_of_the_greatest_length_fits_and_one_more_does_not(void **state)
{
	(void)state;
	for (int extra = 0; extra < 2; extra++) {
		char request[HTTP_TARGET_MAX + 64] = "GET /", path[HTTP_TARGET_MAX + 1];
		struct http_request r;

		memset(request + 5, 'a', HTTP_TARGET_MAX - 1 + extra);
		strcpy(request + 4 + HTTP_TARGET_MAX + extra, " HTTP/1.1\r\nHost: a\r\n\r\n");
		http_request_init(&r);
		parse_in_pieces(&r, request);
		assert_int_equal(r.status, extra ? 414 : 200);
		if (!extra) {
			assert_int_equal(http_path(path, &r), 0);
			assert_int_equal(strlen(path), HTTP_TARGET_MAX - 1);
		}
	}
}

static void ranges_never_leave_the_file(void **state)
{
	static const char *const values[] = {
		"bytes=0-0", "bytes=-1", "bytes=0-", "bytes=18446744073709551615-", "bytes=0-18446744073709551615",
		"bytes=-18446744073709551615", "bytes=1-0", "bytes=18446744073709551616-", "bytes=-0", "bytes=", "", "bytes=1-2-3",
	};
	static const uint64_t sizes[] = { 0, 1, 2, 16384, UINT64_MAX - 1 };

	(void)state;
	for (size_t v = 0; v < sizeof values / sizeof *values; v++)
		for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
			struct http_span span = { .len = sizes[s] };
			int status = http_range(&span, values[v]);

			assert_true(status == 200 || status == 206 || status == 416);
			assert_true(span.first <= sizes[s] && span.len <= sizes[s] - span.first);
			if (status != 206)
				assert_true(span.first == 0 && span.len == sizes[s]);
			else
				assert_true(span.len > 0);
		}
}

static void dates_are_read_as_they_are_written(void **state)
{
	static const time_t times[] = { 0, 784111777, 1767225600, 4102444800 };
	char date[HTTP_DATE_LEN];

	(void)state;
	http_date(date, 784111777);
	assert_string_equal(date, "Sun, 06 Nov 1994 08:49:37 GMT");	/* RFC 9110 5.6.7 */
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		http_date(date, times[i]);
		assert_true(http_date_parse(date) == times[i]);
	}
	assert_true(http_date_parse("") == -1);
	assert_true(http_date_parse("Sun, 06 Nov 1994 08:49:37 GMTx") == -1);
}

static int init(void **state)
{
	(void)state;
	http_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_means_the_same_however_it_is_cut),
		cmocka_unit_test(a_request_means_the_same_byte_by_byte),
		cmocka_unit_test(parsing_stops_behind_a_request),
		cmocka_unit_test(any_changed_byte_is_survived),
		cmocka_unit_test(a_value_that_is_too_long_counts_as_absent),
		cmocka_unit_test(a_target_of_the_greatest_length_fits_and_one_more_does_not),
		cmocka_unit_test(ranges_never_leave_the_file),
		cmocka_unit_test(dates_are_read_as_they_are_written),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, init, NULL);
}
