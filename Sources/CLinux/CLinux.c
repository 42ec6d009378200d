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
#include <sys/ioctl.h>
#include <sys/mman.h>
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
