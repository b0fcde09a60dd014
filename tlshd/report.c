// SPDX-License-Identifier: MIT
#include "report.h"

static void __attribute__((format(printf, 4, 0)))
say(const struct report *r, int line, const char *kind, const char *fmt, va_list ap)
{
	if (line > 0)
		fprintf(r->out, "%s:%d: %s", r->file, line, kind);
	else
		fprintf(r->out, "%s: %s", r->file, kind);
	vfprintf(r->out, fmt, ap);
	fputc('\n', r->out);
}

void report_verror(struct report *r, int line, const char *fmt, va_list ap)
{
	r->errors++;
	say(r, line, "", fmt, ap);
}

void report_error(struct report *r, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_verror(r, line, fmt, ap);
	va_end(ap);
}

void report_warning(struct report *r, int line, const char *fmt, ...)
{
	va_list ap;

	r->warnings++;
	va_start(ap, fmt);
	say(r, line, "warning: ", fmt, ap);
	va_end(ap);
}
