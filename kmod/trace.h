/* SPDX-License-Identifier: GPL-2.0-only */
/* trace: what happens to connections, for who looks; nothing a peer or an application does is logged. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM tlshd

#if !defined(_TLSHD_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TLSHD_TRACE_H

#include <linux/tracepoint.h>
#include <net/sock.h>
#include "compat.h"

TRACE_EVENT(tlshd_start,
	TP_PROTO(const struct sock *sk, unsigned int role, const char *profile),
	TP_ARGS(sk, role, profile),
	TP_STRUCT__entry(
		__field(const void *, sk)
		__field(unsigned int, role)
		__string(profile, profile)
	),
	TP_fast_assign(
		__entry->sk = sk;
		__entry->role = role;
		tlshd_assign_str(profile, profile);
	),
	TP_printk("sk=%p role=%u profile=%s", __entry->sk, __entry->role, __get_str(profile))
);

TRACE_EVENT(tlshd_accept,
	TP_PROTO(const struct sock *sk, int fd),
	TP_ARGS(sk, fd),
	TP_STRUCT__entry(
		__field(const void *, sk)
		__field(int, fd)
	),
	TP_fast_assign(
		__entry->sk = sk;
		__entry->fd = fd;
	),
	TP_printk("sk=%p fd=%d", __entry->sk, __entry->fd)
);

TRACE_EVENT(tlshd_end,
	TP_PROTO(const struct sock *sk, int error, const char *reason),
	TP_ARGS(sk, error, reason),
	TP_STRUCT__entry(
		__field(const void *, sk)
		__field(int, error)
		__string(reason, reason)
	),
	TP_fast_assign(
		__entry->sk = sk;
		__entry->error = error;
		tlshd_assign_str(reason, reason);
	),
	TP_printk("sk=%p error=%d reason=%s", __entry->sk, __entry->error, __get_str(reason))
);

/* A record that is not data: what it was, and what became of the receive side. */
TRACE_EVENT(tlshd_control,
	TP_PROTO(const struct sock *sk, unsigned int type, unsigned int first, int result),
	TP_ARGS(sk, type, first, result),
	TP_STRUCT__entry(
		__field(const void *, sk)
		__field(unsigned int, type)
		__field(unsigned int, first)
		__field(int, result)
	),
	TP_fast_assign(
		__entry->sk = sk;
		__entry->type = type;
		__entry->first = first;
		__entry->result = result;
	),
	TP_printk("sk=%p type=%u first=%u result=%d", __entry->sk, __entry->type, __entry->first, __entry->result)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
