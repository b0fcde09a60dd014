// SPDX-License-Identifier: MIT
/* A whole client, with the checks off that would stop a fuzzer: unsafe.h. */
#include "engine.h"
#include "target.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	engine_load(NULL);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	engine_fuzz(TLS_CLIENT, data, len);
	return 0;
}
