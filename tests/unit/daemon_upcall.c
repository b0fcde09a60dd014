// SPDX-License-Identifier: MIT
/* A request as the module sends it, and what becomes of malformed ones: refused, and its descriptor always known. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/netlink.h>

#include "tlshd/upcall.h"

struct message {
	uint8_t bytes[8192];
	int len;
};

static void put(struct message *m, uint16_t type, const void *p, size_t len)
{
	struct nlattr a = { .nla_len = (uint16_t)(NLA_HDRLEN + len), .nla_type = type };

	memcpy(m->bytes + m->len, &a, sizeof(a));
	memcpy(m->bytes + m->len + NLA_HDRLEN, p, len);
	m->len += NLA_ALIGN(a.nla_len);
}

static void put_u32(struct message *m, uint16_t type, uint32_t v)
{
	put(m, type, &v, sizeof(v));
}

static void put_string(struct message *m, uint16_t type, const char *s)
{
	put(m, type, s, strlen(s) + 1);
}

/* A whole request without the attribute @skip. */
static void fill(struct message *m, uint16_t skip)
{
	static const uint32_t groups[] = { 20, 27, 100 };
	static const uint8_t scope[TLSHD_SCOPE_LEN] = "a scope of 16 by";
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = 0x1234 };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = 0x4321 };
	const uint64_t netns = 0x1122334455667788, cgroup = 99;
	struct message one = { .len = 0 };

	memset(m, 0, sizeof(*m));
	for (uint16_t type = 1; type <= TLSHD_R_MAX; type++) {
		one.len = 0;
		switch (type) {
		case TLSHD_R_FD: put_u32(&one, type, 1234567); break;
		case TLSHD_R_ROLE: put_u32(&one, type, TLSHD_CLIENT); break;
		case TLSHD_R_FLAGS: put_u32(&one, type, TLSHD_F_NO_RESUME); break;
		case TLSHD_R_TIMEOUT_MS: put_u32(&one, type, 5000); break;
		case TLSHD_R_AGE_MS: put_u32(&one, type, 7); break;
		case TLSHD_R_PROFILE: put_string(&one, type, "www"); break;
		case TLSHD_R_SERVER_NAME: put_string(&one, type, "db1.example"); break;
		case TLSHD_R_ALPN: put_string(&one, type, "h2,http/1.1"); break;
		case TLSHD_R_SCOPE: put(&one, type, scope, sizeof(scope)); break;
		case TLSHD_R_UID: put_u32(&one, type, 1000); break;
		case TLSHD_R_GID: put_u32(&one, type, 1001); break;
		case TLSHD_R_GROUPS: put(&one, type, groups, sizeof(groups)); break;
		case TLSHD_R_PID: put_u32(&one, type, 4242); break;
		case TLSHD_R_NETNS: put(&one, type, &netns, sizeof(netns)); break;
		case TLSHD_R_CGROUP: put(&one, type, &cgroup, sizeof(cgroup)); break;
		case TLSHD_R_PEER: put(&one, type, &in, sizeof(in)); break;
		case TLSHD_R_LOCAL: put(&one, type, &in6, sizeof(in6)); break;
		default: break;
		}
		if (type == skip)
			continue;
		memcpy(m->bytes + m->len, one.bytes, (size_t)one.len);
		m->len += one.len;
	}
}

static void takes_a_whole_request(void **state)
{
	struct upcall_request r;
	struct message m;

	(void)state;
	fill(&m, 0);
	assert_int_equal(upcall_parse(&r, m.bytes, m.len), 0);
	assert_int_equal(r.fd, 1234567);
	assert_int_equal(r.role, TLSHD_CLIENT);
	assert_int_equal(r.flags, TLSHD_F_NO_RESUME);
	assert_int_equal(r.timeout_ms, 5000);
	assert_int_equal(r.age_ms, 7);
	assert_string_equal(r.profile, "www");
	assert_string_equal(r.server_name, "db1.example");
	assert_string_equal(r.alpn, "h2,http/1.1");
	assert_memory_equal(r.scope, "a scope of 16 by", 16);
	assert_int_equal(r.uid, 1000);
	assert_int_equal(r.gid, 1001);
	assert_int_equal(r.num_groups, 3);
	assert_int_equal(r.groups[2], 100);
	assert_int_equal(r.pid, 4242);
	assert_true(r.netns == 0x1122334455667788);
	assert_int_equal(r.cgroup, 99);
	assert_int_equal(r.peer.sa.sa_family, AF_INET);
	assert_int_equal(r.local.in6.sin6_port, 0x4321);
}

static void needs_what_decides_and_nothing_else(void **state)
{
	static const uint16_t needed[] = { TLSHD_R_FD, TLSHD_R_ROLE, TLSHD_R_PROFILE, TLSHD_R_UID, TLSHD_R_GID };
	struct upcall_request r;
	struct message m;

	(void)state;
	for (uint16_t type = 1; type <= TLSHD_R_MAX; type++) {
		int want = 0;

		for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
			if (needed[i] == type)
				want = -EBADMSG;
		fill(&m, type);
		assert_int_equal(upcall_parse(&r, m.bytes, m.len), want);
		assert_int_equal(r.fd, type == TLSHD_R_FD ? -1 : 1234567);
	}
}

struct wrong {
	const char *claim;
	uint16_t type;
	const char *bytes;
	size_t len;
};

#define WRONG(c, t, b) { c, t, b, sizeof(b) - 1 }

static const struct wrong wrongs[] = {
	WRONG("a role that is none", TLSHD_R_ROLE, "\x03\0\0\0"),
	WRONG("a role of 8 bytes", TLSHD_R_ROLE, "\x01\0\0\0\0\0\0\0"),
	WRONG("a uid of 2 bytes", TLSHD_R_UID, "\0\0"),
	WRONG("a uid that is unmapped", TLSHD_R_UID, "\xff\xff\xff\xff"),
	WRONG("a gid that is unmapped", TLSHD_R_GID, "\xff\xff\xff\xff"),
	WRONG("an empty profile", TLSHD_R_PROFILE, "\0"),
	WRONG("a profile without its NUL", TLSHD_R_PROFILE, "www"),
	WRONG("a profile with a NUL inside", TLSHD_R_PROFILE, "w\0w\0"),
	WRONG("a profile of 64 letters", TLSHD_R_PROFILE,
	      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\0"),
	WRONG("a server name with a NUL inside", TLSHD_R_SERVER_NAME, "good.example\0.evil.example\0"),
	WRONG("a scope of 15 bytes", TLSHD_R_SCOPE, "123456789012345"),
	WRONG("groups that are no whole number of them", TLSHD_R_GROUPS, "\0\0\0\0\0\0"),
	WRONG("a cgroup of 4 bytes", TLSHD_R_CGROUP, "\0\0\0\0"),
	WRONG("a peer of another family", TLSHD_R_PEER, "\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
	WRONG("a v6 peer in 16 bytes", TLSHD_R_PEER, "\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
};

static void refuses_attributes_of_a_wrong_shape(void **state)
{
	struct upcall_request r;
	struct message m;

	(void)state;
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		print_message("# %s\n", wrongs[i].claim);
		fill(&m, wrongs[i].type);
		put(&m, wrongs[i].type, wrongs[i].bytes, wrongs[i].len);
		assert_int_equal(upcall_parse(&r, m.bytes, m.len), -EBADMSG);
		assert_int_equal(r.fd, 1234567);
	}
}

static void refuses_too_many_groups(void **state)
{
	static const uint32_t groups[TLSHD_GROUPS_MAX + 1];
	struct upcall_request r;
	struct message m;

	(void)state;
	fill(&m, TLSHD_R_GROUPS);
	put(&m, TLSHD_R_GROUPS, groups, sizeof(groups) - 4);
	assert_int_equal(upcall_parse(&r, m.bytes, m.len), 0);
	assert_int_equal(r.num_groups, TLSHD_GROUPS_MAX);
	fill(&m, TLSHD_R_GROUPS);
	put(&m, TLSHD_R_GROUPS, groups, sizeof(groups));
	assert_int_equal(upcall_parse(&r, m.bytes, m.len), -EBADMSG);
}

/* Each length and each byte flipped: whatever comes out, no byte outside the message is touched (ASan watches). */
static void survives_any_cut_and_any_flip(void **state)
{
	struct upcall_request r;
	struct message m;

	(void)state;
	fill(&m, 0);
	for (int len = 0; len <= m.len; len++) {
		uint8_t *exact = malloc((size_t)len + 1);
		int rc;

		memcpy(exact, m.bytes, (size_t)len);
		rc = upcall_parse(&r, exact, len);
		assert_true(rc == 0 || rc == -EBADMSG);
		free(exact);
	}
	for (int at = 0; at < m.len; at++) {
		for (int bit = 0; bit < 8; bit++) {
			uint8_t *exact = malloc((size_t)m.len);
			int rc;

			memcpy(exact, m.bytes, (size_t)m.len);
			exact[at] ^= (uint8_t)(1 << bit);
			rc = upcall_parse(&r, exact, m.len);
			assert_true(rc == 0 || rc == -EBADMSG);
			assert_true(r.fd >= 0 || rc);
			free(exact);
		}
	}
}

static unsigned num_tickets;

static void see_ticket(void *arg, const uint8_t *blob, size_t blob_len, const uint8_t *msg, size_t len)
{
	assert_ptr_equal(arg, &num_tickets);
	assert_in_range(blob_len, 0, TLSHD_BLOB_MAX);
	assert_in_range(len, 0, TLSHD_TICKET_MAX);
	if (blob_len && len) {	/* ASan watches */
		num_tickets += blob[blob_len - 1] == 'b' && msg[len - 1] == 'm';
	}
}

static bool parse_ticket(const uint8_t *bytes, int len)
{
	uint8_t *exact = malloc((size_t)len + 1);
	bool ok;

	memcpy(exact, bytes, (size_t)len);
	ok = upcall_parse_ticket(exact, len, see_ticket, &num_tickets);
	free(exact);
	return ok;
}

static void takes_whole_tickets_only(void **state)
{
	static uint8_t big[TLSHD_TICKET_MAX + 1];
	struct message m = { .len = 0 };

	(void)state;
	num_tickets = 0;
	put(&m, TLSHD_T_BLOB, "blob b", 6);
	put(&m, TLSHD_T_MESSAGE, "message m", 9);
	assert_true(parse_ticket(m.bytes, m.len));
	assert_int_equal(num_tickets, 1);
	for (int len = 0; len < m.len - 3; len++)	/* padding may be missing */
		assert_false(parse_ticket(m.bytes, len));
	for (int at = 0; at < m.len; at++)
		for (int bit = 0; bit < 8; bit++) {
			m.bytes[at] ^= (uint8_t)(1 << bit);
			parse_ticket(m.bytes, m.len);
			m.bytes[at] ^= (uint8_t)(1 << bit);
		}
	m.len = 0;
	put(&m, TLSHD_T_BLOB, big, TLSHD_BLOB_MAX + 1);
	put(&m, TLSHD_T_MESSAGE, "m", 1);
	assert_false(parse_ticket(m.bytes, m.len));
	m.len = 0;
	put(&m, TLSHD_T_BLOB, "b", 1);
	put(&m, TLSHD_T_MESSAGE, big, TLSHD_TICKET_MAX + 1);
	assert_false(parse_ticket(m.bytes, m.len));
}

static void says_when_the_module_is_absent(void **state)
{
	uint16_t family;
	int fd, rc = upcall_register(&fd, &family, 1);

	(void)state;
	if (!rc) {
		close(fd);
		print_message("# the module is loaded here\n");
		skip();
	}
	assert_int_equal(rc, -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_a_whole_request),
		cmocka_unit_test(needs_what_decides_and_nothing_else),
		cmocka_unit_test(refuses_attributes_of_a_wrong_shape),
		cmocka_unit_test(refuses_too_many_groups),
		cmocka_unit_test(survives_any_cut_and_any_flip),
		cmocka_unit_test(takes_whole_tickets_only),
		cmocka_unit_test(says_when_the_module_is_absent),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
