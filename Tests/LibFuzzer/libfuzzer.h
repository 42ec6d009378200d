#ifndef JOBSTATS_LIBFUZZER_H
#define JOBSTATS_LIBFUZZER_H

#include <stddef.h>
#include <stdint.h>

// What libFuzzer offers to programs with a main of their own (LLVM, "Using libFuzzer as a library").
int LLVMFuzzerRunDriver(int *_Nonnull argc, char *_Nullable *_Nonnull *_Nonnull argv,
                        int (*_Nonnull callback)(const uint8_t *_Nullable data, size_t size));

#endif
