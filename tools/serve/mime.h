/* SPDX-License-Identifier: MIT */
/*
 * mime: media types by file name extension, from a table in the format of mime.types(5).
 */
#ifndef SERVE_MIME_H
#define SERVE_MIME_H

/**
 * mime_load() - read a table; before any thread calls mime_type()
 *
 * Without it, or for what it lacks, a short list of our own serves. Lines that make no sense are skipped.
 *
 * Return: 0, -ENOENT and the like from opening @path, or -ENOMEM.
 */
int mime_load(const char *path);

/* Return: the type for a file name, "application/octet-stream" for an unknown extension; never to be freed. */
const char *mime_type(const char *name);

#endif
