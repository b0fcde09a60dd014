/* SPDX-License-Identifier: MIT */
/*
 * reply: the answer to one request: a head in memory and a part of an open file.
 */
#ifndef SERVE_REPLY_H
#define SERVE_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "file.h"
#include "http.h"

/**
 * struct reply - what is still to send
 * @status: of the answer
 * @head: status line, headers and an error's short text: @head_len bytes, of which @head_sent are gone
 * @file: sent after the head; @file.fd is -1 if there is none to send
 * @off: where in the file to go on
 * @left: bytes of the file still to send
 * @length: bytes of the body, for the log
 * @keep_alive: the connection may carry another request
 */
struct reply {
	int status;
	char head[HTTP_TARGET_MAX + 1024];
	size_t head_len, head_sent;
	struct file file;
	off_t off;
	uint64_t left, length;
	bool keep_alive;
};

/**
 * reply_make() - answer a request
 * @rep: out
 * @r: a request whose status is not 0
 * @root: directory to serve from
 * @closing: this is the connection's last answer, whatever the client would like
 *
 * Cannot fail: an error becomes an answer that says so.
 */
void reply_make(struct reply *rep, const struct http_request *r, int root, bool closing);

/* Closes the file. */
void reply_end(struct reply *rep);

#endif
