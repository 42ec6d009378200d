#ifndef CLINUX_H
#define CLINUX_H

/// An anonymous file in memory, closed on exec; -1 with errno on failure. memfd_create(2) is not visible to Swift.
int clinux_memory_file(const char *name);

/// A pipe whose ends are closed on exec, read end first, where reading does not wait; -1 with errno on failure. pipe2(2)
/// is not visible to Swift.
int clinux_pipe(int ends[2]);

/// How many bytes a pipe holds now; 0 where that cannot be told. FIONREAD is not visible to Swift.
int clinux_held_by_pipe(int end);

/// Starts a detached thread that takes no signals; 0, or the error's number. Its name has at most 15 bytes. The types of pthread_create(3)'s
/// attributes and signal sets belong to whichever module Swift sees first, so they stay out of its sight.
int clinux_start_thread(
    const char *name, void (*run)(void *argument), void *argument, unsigned long stack_size);

/// Gives memory back that this process holds but does not use: free blocks of the heap, and the pages of programs and
/// libraries that are as they are on disk. The kernel maps those again, from its cache, when they are next needed.
void clinux_release_memory(void);

#endif
