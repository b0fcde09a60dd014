// SPDX-License-Identifier: MIT
#include "mime.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TYPES_MAX 65536	/* a table longer than this is no table of media types */

struct type {
	const char *extension, *type;
};

static const struct type builtin[] = {
	{ "css", "text/css" }, { "gif", "image/gif" }, { "gz", "application/gzip" }, { "html", "text/html" },
	{ "ico", "image/x-icon" }, { "jpg", "image/jpeg" }, { "js", "text/javascript" }, { "json", "application/json" },
	{ "pdf", "application/pdf" }, { "png", "image/png" }, { "svg", "image/svg+xml" }, { "txt", "text/plain" },
	{ "wasm", "application/wasm" }, { "webp", "image/webp" }, { "xml", "application/xml" }, { "zip", "application/zip" },
};

static struct type *types;
static size_t num_types;

static int compare(const void *a, const void *b)
{
	return strcasecmp(((const struct type *)a)->extension, ((const struct type *)b)->extension);
}

static int add(const char *extension, const char *type)
{
	char *copy;

	if (num_types % 256 == 0) {
		struct type *bigger = reallocarray(types, num_types + 256, sizeof *types);

		if (!bigger)
			return -ENOMEM;
		types = bigger;
	}
	copy = strdup(extension);
	if (!copy)
		return -ENOMEM;
	types[num_types++] = (struct type){ copy, type };
	return 0;
}

/* "text/html	html htm": the type, then its extensions. */
static int add_line(char *line)
{
	char *rest, *type, *ext;
	int err = 0;

	line[strcspn(line, "#")] = 0;
	type = strtok_r(line, " \t\r\n", &rest);
	ext = type ? strtok_r(NULL, " \t\r\n", &rest) : NULL;
	if (!ext || !strchr(type, '/'))
		return 0;
	type = strdup(type);
	if (!type)
		return -ENOMEM;
	for (; ext && !err && num_types < TYPES_MAX; ext = strtok_r(NULL, " \t\r\n", &rest))
		err = add(ext, type);
	return err;
}

int mime_load(const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;
	int err = 0;

	if (!f)
		return -errno;
	while (!err && getline(&line, &cap, f) >= 0)
		err = add_line(line);
	free(line);
	fclose(f);
	if (num_types)
		qsort(types, num_types, sizeof *types, compare);
	return err;
}

const char *mime_type(const char *name)
{
	const char *base = strrchr(name, '/'), *dot;
	const struct type *t = NULL;
	struct type key;

	dot = strrchr(base ? base : name, '.');
	if (!dot)
		return "application/octet-stream";
	key.extension = dot + 1;
	if (num_types)
		t = bsearch(&key, types, num_types, sizeof *types, compare);
	if (!t)
		t = bsearch(&key, builtin, sizeof builtin / sizeof *builtin, sizeof *builtin, compare);
	return t ? t->type : "application/octet-stream";
}
