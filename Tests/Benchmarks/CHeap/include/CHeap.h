#ifndef CHEAP_H
#define CHEAP_H

/// What malloc holds, over all its arenas and mappings, in bytes.
struct cheap_usage {
    /// What it has from the system.
    unsigned long held;
    /// What the program uses of it.
    unsigned long used;
    /// The number of arenas.
    unsigned long arenas;
};

/// Asks malloc. All is 0 where this C library does not tell.
struct cheap_usage cheap_usage(void);

#endif
