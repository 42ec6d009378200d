#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int clinux_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

int clinux_pipe(int ends[2]) {
    if (pipe2(ends, O_CLOEXEC)) return -1;
    // Each end has flags of its own: the writer, a program that knows nothing of it, still waits.
    if (!fcntl(ends[0], F_SETFL, O_NONBLOCK)) return 0;
    int error = errno;
    close(ends[0]);
    close(ends[1]);
    errno = error;
    return -1;
}

int clinux_held_by_pipe(int end) {
    int count = 0;
    return ioctl(end, FIONREAD, &count) ? 0 : count;
}

struct thread_body {
    void (*run)(void *argument);
    void *argument;
    char name[16];
};

static void *run_thread_body(void *pointer) {
    struct thread_body body = *(struct thread_body *)pointer;
    free(pointer);
    pthread_setname_np(pthread_self(), body.name);
    body.run(body.argument);
    return NULL;
}

int clinux_start_thread(
    const char *name, void (*run)(void *argument), void *argument, unsigned long stack_size
) {
    struct thread_body *body = malloc(sizeof *body);
    if (!body) return ENOMEM;
    *body = (struct thread_body){.run = run, .argument = argument};
    strncpy(body->name, name, sizeof body->name - 1);

    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, stack_size);
    // A thread begins with the signal mask of the one that makes it.
    sigset_t all, previous;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &previous);
    pthread_t thread;
    int status = pthread_create(&thread, &attributes, run_thread_body, body);
    pthread_sigmask(SIG_SETMASK, &previous, NULL);
    pthread_attr_destroy(&attributes);
    if (status) free(body);
    return status;
}

// What follows runs in a copy of a process with threads, whose locks may be held for ever: only what signal-safety(7) allows.

static void forget_descriptors_but_the_first(void) {
    if (!syscall(SYS_close_range, 1u, ~0u, 0u)) return;
    for (int number = 1; number < 1 << 16; number++) close(number);
}

static void forget_signals(void) {
    for (int number = 1; number <= 64; number++) signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

// The same rule as TargetDirectory.isCurrent, which the program asks where this says no.
static int holds(int file, const char *content, size_t size) {
    struct stat status;
    if (fstat(file, &status) || !S_ISREG(status.st_mode) || (status.st_mode & 0444) != 0444 || status.st_mode & 0022 ||
        (size_t)status.st_size != size)
        return 0;
    char chunk[4096];
    for (;;) {
        ssize_t count = read(file, chunk, sizeof chunk);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return !count && !size;
        if ((size_t)count > size || memcmp(chunk, content, (size_t)count)) return 0;
        content += count;
        size -= (size_t)count;
    }
}

static char compare_file(
    const char *lock_file, const char *directory, const char *name, const char *content, size_t size
) {
    int lock = open(lock_file, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    if (lock < 0) return CLINUX_FILE_DIFFERS;
    if (flock(lock, LOCK_EX | LOCK_NB)) return errno == EWOULDBLOCK ? CLINUX_FILE_BUSY : CLINUX_FILE_DIFFERS;
    int folder = open(directory, O_RDONLY | O_DIRECTORY);
    int file = folder < 0 ? -1 : openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    char word = file >= 0 && holds(file, content, size) ? CLINUX_FILE_AS_EXPECTED : CLINUX_FILE_DIFFERS;
    // Closing may hang, too. Nothing can after that, and whoever hears the answer may look again at once.
    if (file >= 0) close(file);
    if (folder >= 0) close(folder);
    close(lock);
    return word;
}

int clinux_compare_file(
    const char *lock_file, const char *directory, const char *name, const void *content, unsigned long size,
    int answer
) {
    pid_t process = fork();
    if (process) return process;
    setpgid(0, 0);
    if (answer && dup2(answer, 0)) _exit(1);
    forget_descriptors_but_the_first();
    forget_signals();
    prctl(PR_SET_NAME, "storage");
    // It has a copy of all memory, which a core file or another process of this user need not see.
    prctl(PR_SET_DUMPABLE, 0);
    char word = compare_file(lock_file, directory, name, content, size);
    _exit(write(0, &word, 1) != 1);
}

static int release_object(struct dl_phdr_info *object, size_t size, void *page_size) {
    (void)size;
    uintptr_t page = *(uintptr_t *)page_size;
    if (object->dlpi_name && !strncmp(object->dlpi_name, "linux-", 6)) return 0;
    for (int index = 0; index < object->dlpi_phnum; index++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[index];
        // A segment that may be written holds relocated addresses, which the file does not.
        if (segment->p_type != PT_LOAD || segment->p_flags & PF_W) continue;
        uintptr_t start = object->dlpi_addr + segment->p_vaddr;
        uintptr_t end = (start + segment->p_memsz) & ~(page - 1);
        start = (start + page - 1) & ~(page - 1);
        if (end > start) madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

void clinux_release_memory(void) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    dl_iterate_phdr(release_object, &page);
    malloc_trim(0);
}
