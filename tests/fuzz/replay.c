// SPDX-License-Identifier: MIT
/* replay FOLDER: a fuzzer's inputs, each once and by name, without libFuzzer. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"

#define INPUT_MAX (1 << 20)

/* Return: 1 */
static int run(const char *dir, const char *name)
{
	static char path[4096];
	uint8_t *data;
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "r");
	data = malloc(INPUT_MAX);
	if (!f || !data) {
		perror(path);
		exit(2);
	}
	len = fread(data, 1, INPUT_MAX, f);
	fclose(f);
	data = realloc(data, len ? len : 1);	/* so that a read behind it is seen */
	printf("input %s\n", name);
	LLVMFuzzerTestOneInput(data, len);
	free(data);
	return 1;
}

int main(int argc, char **argv)
{
	struct dirent **names;
	int num = argc == 2 ? scandir(argv[1], &names, NULL, alphasort) : -1, inputs = 0;

	if (num < 0) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 0; i < num; i++) {
		if (names[i]->d_name[0] != '.')
			inputs += run(argv[1], names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return !inputs;
}
