/* SPDX-License-Identifier: MIT */
/*
 * file: regular files beneath one directory. The kernel resolves each path (openat2), so neither dots nor symbolic
 * links nor a rename that races with it lead out of there.
 */
#ifndef SERVE_FILE_H
#define SERVE_FILE_H

#include <stdint.h>
#include <time.h>

#define FILE_ETAG_LEN 40

/**
 * struct file - an open file
 * @fd: -1 if none is open
 * @type: media type, constant
 * @etag: strong, quoted; changes with size and modification time
 */
struct file {
	int fd;
	uint64_t size;
	time_t mtime;
	const char *type;
	char etag[FILE_ETAG_LEN];
};

/**
 * file_open() - open what a path names
 * @f: out; @f->fd is -1 on failure
 * @root: directory
 * @path: relative to it, not empty, not ending in a slash unless a directory is meant
 *
 * A directory named with a slash stands for its index.html. Never waits for a FIFO's writer.
 *
 * Return: 0, -EISDIR for a directory named without its slash, -ENOENT if there is no such regular file beneath @root,
 * -EACCES, or what stopped the process from opening it (-EMFILE, -ENFILE, -ENOMEM, -EIO).
 */
int file_open(struct file *f, int root, const char *path);

void file_close(struct file *f);

#endif
