/* Stands between a process and the syncs of SQLite's log: counts them, delays them, and fails one as a dying disk does.
   SYNC_SHIM names a file that holds struct control; whoever tests writes it and reads it while the hub runs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct control {
    int victim;   /* only this process's syncs are failed; it is forgotten once it was hit */
    int fail_in;  /* so many syncs of the victim succeed first */
    int hit;      /* the process whose sync was failed */
    int again;    /* how often that process has synced the log since */
    int delay_ms; /* before every sync, of every process */
    int count;    /* syncs of the log so far */
};

static struct control *control;

__attribute__((constructor)) static void look(void) {
    const char *path = getenv("SYNC_SHIM");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *found = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (found != MAP_FAILED) control = found;
}

static int is_log(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path);
    return length > 4 && memcmp(path + length - 4, "-wal", 4) == 0;
}

static int fails(int file) {
    if (!control || !is_log(file)) return 0;
    __atomic_add_fetch(&control->count, 1, __ATOMIC_SEQ_CST);
    if (control->delay_ms) usleep(1000u * (unsigned)control->delay_ms);
    int self = getpid();
    if (control->hit == self) __atomic_add_fetch(&control->again, 1, __ATOMIC_SEQ_CST);
    if (control->victim != self || __atomic_sub_fetch(&control->fail_in, 1, __ATOMIC_SEQ_CST) >= 0) return 0;
    control->victim = 0;
    control->hit = self;
    errno = EIO;
    return 1;
}

int fsync(int file) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    return fails(file) ? -1 : real(file);
}

int fdatasync(int file) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    return fails(file) ? -1 : real(file);
}
