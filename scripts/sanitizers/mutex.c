// Tells ThreadSanitizer what Swift's Mutex does where it has to wait.
//
// The quick way through Synchronization.Mutex is an atomic exchange within the program, which the sanitizer sees. With two
// threads at once the rest happens in libswiftSynchronization.so and in the kernel, which are not instrumented: without
// this file every value that a contended mutex guards is reported as a race. Loaded with LD_PRELOAD by
// scripts/test.sh --sanitize=thread; does nothing in programs without the sanitizer.
//
// The names are those of _MutexHandle._lockSlow, _tryLockSlow and _unlockSlow in Swift 6.2 and 6.3.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

extern void __tsan_acquire(void *) __attribute__((weak));
extern void __tsan_release(void *) __attribute__((weak));

#define SWIFT __attribute__((swiftcall, visibility("default")))
#define SELF __attribute__((swift_context))
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

SWIFT void lock_slow(uint32_t thread, SELF void *handle) __asm__(LOCK);
SWIFT bool try_lock_slow(SELF void *handle) __asm__(TRY_LOCK);
SWIFT void unlock_slow(SELF void *handle) __asm__(UNLOCK);

SWIFT void lock_slow(uint32_t thread, SELF void *handle) {
    static SWIFT void (*next)(uint32_t, SELF void *);
    if (!next) next = dlsym(RTLD_NEXT, LOCK);
    next(thread, handle);
    if (__tsan_acquire) __tsan_acquire(handle);
}

SWIFT bool try_lock_slow(SELF void *handle) {
    static SWIFT bool (*next)(SELF void *);
    if (!next) next = dlsym(RTLD_NEXT, TRY_LOCK);
    bool is_locked = next(handle);
    if (is_locked && __tsan_acquire) __tsan_acquire(handle);
    return is_locked;
}

SWIFT void unlock_slow(SELF void *handle) {
    static SWIFT void (*next)(SELF void *);
    if (!next) next = dlsym(RTLD_NEXT, UNLOCK);
    if (__tsan_release) __tsan_release(handle);
    next(handle);
}
