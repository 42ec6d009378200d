#define _GNU_SOURCE
#include "CHeap.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// mallinfo2 knows the main arena alone; malloc_info tells of all, as XML.
struct cheap_usage cheap_usage(void) {
    struct cheap_usage usage = {0, 0, 0};
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    if (!stream) return usage;
    int status = malloc_info(0, stream);
    fclose(stream);
    if (status || !text) {
        free(text);
        return usage;
    }
    for (char *place = text; (place = strstr(place, "<heap nr=")); place++) usage.arenas++;
    // The sums over all arenas stand behind the last of them.
    char *sums = text;
    for (char *place = text; (place = strstr(place, "</heap>")); place++) sums = place;
    unsigned long unused = 0, mapped = 0, size = 0;
    int count = 0;
    char *fast = strstr(sums, "<total type=\"fast\""), *rest = strstr(sums, "<total type=\"rest\"");
    char *mmaps = strstr(sums, "<total type=\"mmap\""), *system = strstr(sums, "<system type=\"current\"");
    if (fast && sscanf(fast, "<total type=\"fast\" count=\"%d\" size=\"%lu\"", &count, &size) == 2) unused += size;
    if (rest && sscanf(rest, "<total type=\"rest\" count=\"%d\" size=\"%lu\"", &count, &size) == 2) unused += size;
    if (mmaps && sscanf(mmaps, "<total type=\"mmap\" count=\"%d\" size=\"%lu\"", &count, &size) == 2) mapped = size;
    if (system && sscanf(system, "<system type=\"current\" size=\"%lu\"", &size) == 1) {
        usage.held = size + mapped;
        usage.used = usage.held - unused;
    }
    free(text);
    return usage;
}
