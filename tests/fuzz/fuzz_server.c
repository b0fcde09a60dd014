// SPDX-License-Identifier: MIT
/* libFuzzer: a whole server, with the checks off that would stop a fuzzer. */
#include "engine.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	load();
	record_honest();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	fuzz(TLS_SERVER, data, len);
	return 0;
}
