// SPDX-License-Identifier: MIT
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mime.h"

#define INDEX "index.html"

static int open_beneath(int root, const char *path)
{
	static const struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int fd, tries = 8;

	/* EAGAIN: a rename somewhere on the machine made the kernel doubt a "..". */
	do {
		fd = syscall(SYS_openat2, root, path, &how, sizeof how);
	} while (fd < 0 && (errno == EAGAIN || errno == EINTR) && --tries);
	return fd < 0 ? -errno : fd;
}

/* Why a path leads nowhere is nobody's business: outside, a loop, no file, a socket are all "not found". */
static int public_error(int err)
{
	static const int shown[] = { -EACCES, -EMFILE, -ENFILE, -ENOMEM, -EIO };

	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
		if (shown[i] == err)
			return err;
	return err == -EPERM ? -EACCES : -ENOENT;
}

static int inspect(struct file *f, const char *path)
{
	struct stat st;

	if (fstat(f->fd, &st))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -ENOENT;
	f->size = st.st_size;
	f->mtime = st.st_mtime;
	f->type = mime_type(path);
	snprintf(f->etag, sizeof f->etag, "\"%llx-%llx\"", (unsigned long long)st.st_size,
		 (unsigned long long)(uint64_t)(st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec));
	return 0;
}

int file_open(struct file *f, int root, const char *path)
{
	size_t len = strlen(path);
	char index[PATH_MAX + 1];
	int err;

	if (path[len - 1] == '/' || !strcmp(path, ".")) {
		/* One that is cut off is longer than any path that the kernel takes: ENAMETOOLONG. */
		snprintf(index, sizeof index, "%s/" INDEX, path);
		path = index;
	}
	f->fd = open_beneath(root, path);
	err = f->fd < 0 ? f->fd : inspect(f, path);
	if (!err)
		return 0;
	file_close(f);
	/* An index that is a directory itself is no file, and no redirect helps. */
	return err == -EISDIR && path != index ? err : public_error(err);
}

void file_close(struct file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}
