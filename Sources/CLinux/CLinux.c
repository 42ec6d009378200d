#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

int clinux_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

struct thread_body {
    void (*run)(void *argument);
    void *argument;
};

static void *run_thread_body(void *pointer) {
    struct thread_body body = *(struct thread_body *)pointer;
    free(pointer);
    body.run(body.argument);
    return NULL;
}

int clinux_start_thread(void (*run)(void *argument), void *argument, unsigned long stack_size) {
    struct thread_body *body = malloc(sizeof *body);
    if (!body) return ENOMEM;
    *body = (struct thread_body){run, argument};

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
