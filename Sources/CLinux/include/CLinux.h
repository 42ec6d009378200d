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

/// What clinux_compare_file() says: the file is as expected; it is not, or could not be looked at; the lock is taken.
enum { CLINUX_FILE_AS_EXPECTED = 1, CLINUX_FILE_DIFFERS = 2, CLINUX_FILE_BUSY = 3 };

/// Compares a file with these bytes in a process of its own, which is made by fork(2) and starts no program: it is there
/// after a millisecond, and hangs alone where the file system does. It keeps no descriptor of this process but `answer`, to
/// which it writes one of the words above as a byte; it holds the lock file until then. Only a plain file that all
/// may read and its owner alone may write is as expected. The caller waits for the process.
///
/// Returns its number; -1 with errno when there is none.
int clinux_compare_file(
    const char *lock_file, const char *directory, const char *name, const void *content, unsigned long size,
    int answer);

/// Gives memory back that this process holds but does not use: free blocks of the heap, and the pages of programs and
/// libraries that are as they are on disk. The kernel maps those again, from its cache, when they are next needed.
void clinux_release_memory(void);

#endif
