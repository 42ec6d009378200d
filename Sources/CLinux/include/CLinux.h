#ifndef CLINUX_H
#define CLINUX_H

/// An anonymous file in memory, closed on exec; -1 with errno on failure. memfd_create(2) is not visible to Swift.
int clinux_memory_file(const char *name);

#endif
