/* The libc calls that are observed: see faultfs.h. */
#include "faultfs.h"
#include <dlfcn.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/uio.h>

#define REAL(result, name, ...) \
    static result (*real_##name)(__VA_ARGS__); \
    if (!real_##name) real_##name = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)
#define REFUSE(failure) do { int refused = (failure); if (refused) { errno = refused; return -1; } } while (0)

__attribute__((constructor)) static void start(void) { shadow_start(); }

/* ---- syncs ------------------------------------------------------------------------------------- */

static int sync_call(int fd, int (*call)(int), int everything) {
    int after;
    char path[PATH_MAX];
    struct stat st, at;
    if (!faultfs_active || faultfs_inside) return call(fd);
    int ours = everything ? !fstat(fd, &st) && !stat(faultfs_root, &at) && st.st_dev == at.st_dev : path_of(fd, path);
    if (!ours) return call(fd);
    REFUSE(consult_fd("sync", fd, &after));
    if (getenv("FAULTFS_REAL_SYNC") && call(fd)) return -1;
    make_durable(fd, everything);
    die_if(after);
    return 0;
}

EXPORT int fsync(int fd) { REAL(int, fsync, int); return sync_call(fd, real_fsync, 0); }
EXPORT int fdatasync(int fd) { REAL(int, fdatasync, int); return sync_call(fd, real_fdatasync, 0); }
EXPORT int syncfs(int fd) { REAL(int, syncfs, int); return sync_call(fd, real_syncfs, 1); }

EXPORT void sync(void) {
    REAL(void, sync, void);
    if (!faultfs_active || faultfs_inside) { real_sync(); return; }
    make_durable(-1, 1);
}

/* ---- writes ------------------------------------------------------------------------------------ */

/* Where a write without an offset will land, and whether it is durable by itself (O_SYNC, O_DSYNC). */
static off_t landing(int fd, const struct stat *st, int *durable) {
    int flags = fcntl(fd, F_GETFL);
    *durable = (flags & O_DSYNC) != 0;
    return flags & O_APPEND ? st->st_size : lseek(fd, 0, SEEK_CUR);
}

static ssize_t wrote(int fd, ssize_t result, int durable, int after) {
    if (durable && result >= 0) make_durable(fd, 0);
    die_if(after);
    return result;
}

#define WRITE(fd, offset, call) do { \
    struct stat st; \
    int after, durable = 0; \
    if (!is_ours(fd, &st)) return call; \
    REFUSE(consult_fd("write", fd, &after)); \
    off_t from = landing(fd, &st, &durable); \
    dirty_inode(st.st_ino, (offset) < 0 ? from : (offset)); \
    return wrote(fd, call, durable, after); \
} while (0)

EXPORT ssize_t write(int fd, const void *data, size_t n) {
    REAL(ssize_t, write, int, const void *, size_t);
    WRITE(fd, -1, real_write(fd, data, n));
}
EXPORT ssize_t writev(int fd, const struct iovec *parts, int n) {
    REAL(ssize_t, writev, int, const struct iovec *, int);
    WRITE(fd, -1, real_writev(fd, parts, n));
}
EXPORT ssize_t pwrite(int fd, const void *data, size_t n, off_t at) {
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
    WRITE(fd, at, real_pwrite(fd, data, n, at));
}
EXPORT ssize_t pwrite64(int fd, const void *data, size_t n, off_t at) { return pwrite(fd, data, n, at); }
EXPORT ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t at) {
    REAL(ssize_t, pwritev, int, const struct iovec *, int, off_t);
    WRITE(fd, at, real_pwritev(fd, parts, n, at));
}
EXPORT ssize_t pwritev64(int fd, const struct iovec *parts, int n, off_t at) { return pwritev(fd, parts, n, at); }
EXPORT ssize_t pwritev2(int fd, const struct iovec *parts, int n, off_t at, int flags) {
    REAL(ssize_t, pwritev2, int, const struct iovec *, int, off_t, int);
    WRITE(fd, at, real_pwritev2(fd, parts, n, at, flags));
}
EXPORT ssize_t sendfile(int to, int from, off_t *at, size_t n) {
    REAL(ssize_t, sendfile, int, int, off_t *, size_t);
    WRITE(to, 0, real_sendfile(to, from, at, n));
}
EXPORT ssize_t sendfile64(int to, int from, off_t *at, size_t n) { return sendfile(to, from, at, n); }
EXPORT ssize_t copy_file_range(int from, off_t *in_at, int to, off_t *out_at, size_t n, unsigned flags) {
    REAL(ssize_t, copy_file_range, int, off_t *, int, off_t *, size_t, unsigned);
    WRITE(to, 0, real_copy_file_range(from, in_at, to, out_at, n, flags));
}
EXPORT int fallocate(int fd, int mode, off_t at, off_t n) {
    REAL(int, fallocate, int, int, off_t, off_t);
    WRITE(fd, 0, real_fallocate(fd, mode, at, n));
}
EXPORT int posix_fallocate(int fd, off_t at, off_t n) {
    REAL(int, posix_fallocate, int, off_t, off_t);
    struct stat st;
    int after;
    if (!is_ours(fd, &st)) return real_posix_fallocate(fd, at, n);
    int failure = consult_fd("write", fd, &after);
    if (failure) return failure;
    dirty_inode(st.st_ino, 0);
    return real_posix_fallocate(fd, at, n);
}
EXPORT int ftruncate(int fd, off_t size) {
    REAL(int, ftruncate, int, off_t);
    struct stat st;
    int after;
    if (!is_ours(fd, &st)) return real_ftruncate(fd, size);
    REFUSE(consult_fd("truncate", fd, &after));
    dirty_inode(st.st_ino, size < st.st_size ? size : st.st_size);
    return (int)wrote(fd, real_ftruncate(fd, size), 0, after);
}
EXPORT int ftruncate64(int fd, off_t size) { return ftruncate(fd, size); }

static void dirty_path(const char *name) {
    struct stat st;
    if (faultfs_active && !faultfs_inside && !stat(name, &st) && S_ISREG(st.st_mode)) dirty_inode(st.st_ino, 0);
}

EXPORT int truncate(const char *name, off_t size) {
    REAL(int, truncate, const char *, off_t);
    dirty_path(name);
    return real_truncate(name, size);
}
EXPORT int truncate64(const char *name, off_t size) { return truncate(name, size); }

EXPORT void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset) {
    REAL(void *, mmap, void *, size_t, int, int, int, off_t);
    struct stat st;
    char path[PATH_MAX];
    if (fd >= 0 && (protection & PROT_WRITE) && (flags & MAP_SHARED) && is_ours(fd, &st) && path_of(fd, path))
        unsupported("mmap", path);
    return real_mmap(at, n, protection, flags, fd, offset);
}
EXPORT void *mmap64(void *at, size_t n, int protection, int flags, int fd, off_t offset) {
    return mmap(at, n, protection, flags, fd, offset);
}

/* ---- opens ------------------------------------------------------------------------------------- */

static int open_call(int dirfd, const char *name, int flags, mode_t mode) {
    REAL(int, openat, int, const char *, int, ...);
    int after = 0, writing = (flags & O_ACCMODE) != O_RDONLY;
    struct stat st;
    if (writing) REFUSE(consult_at("open", dirfd, name, &after));
    int fd = real_openat(dirfd, name, flags, mode);
    if (fd >= 0 && writing && (flags & O_TRUNC) && is_ours(fd, &st)) dirty_inode(st.st_ino, 0);
    die_if(after);
    return fd;
}

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | __O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }

EXPORT int open(const char *name, int flags, ...) { MODE(flags); return open_call(AT_FDCWD, name, flags, mode); }
EXPORT int open64(const char *name, int flags, ...) { MODE(flags); return open_call(AT_FDCWD, name, flags, mode); }
EXPORT int openat(int at, const char *name, int flags, ...) { MODE(flags); return open_call(at, name, flags, mode); }
EXPORT int openat64(int at, const char *name, int flags, ...) { MODE(flags); return open_call(at, name, flags, mode); }
EXPORT int __open_2(const char *name, int flags) { return open_call(AT_FDCWD, name, flags, 0); }
EXPORT int __open64_2(const char *name, int flags) { return open_call(AT_FDCWD, name, flags, 0); }
EXPORT int __openat_2(int at, const char *name, int flags) { return open_call(at, name, flags, 0); }
EXPORT int __openat64_2(int at, const char *name, int flags) { return open_call(at, name, flags, 0); }
EXPORT int creat(const char *name, mode_t mode) { return open_call(AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, mode); }
EXPORT int creat64(const char *name, mode_t mode) { return creat(name, mode); }

/* ---- names: only rules look at them, a directory's state is read when it is synced --------------- */

#define NAMED(op, dirfd, name, call) do { \
    int after; \
    REFUSE(consult_at(op, dirfd, name, &after)); \
    int result = call; \
    die_if(after); \
    return result; \
} while (0)

EXPORT int rename(const char *from, const char *to) {
    REAL(int, rename, const char *, const char *);
    NAMED("rename", AT_FDCWD, to, real_rename(from, to));
}
EXPORT int renameat(int from_at, const char *from, int to_at, const char *to) {
    REAL(int, renameat, int, const char *, int, const char *);
    NAMED("rename", to_at, to, real_renameat(from_at, from, to_at, to));
}
EXPORT int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    REAL(int, renameat2, int, const char *, int, const char *, unsigned);
    NAMED("rename", to_at, to, real_renameat2(from_at, from, to_at, to, flags));
}
EXPORT int unlink(const char *name) {
    REAL(int, unlink, const char *);
    NAMED("unlink", AT_FDCWD, name, real_unlink(name));
}
EXPORT int unlinkat(int at, const char *name, int flags) {
    REAL(int, unlinkat, int, const char *, int);
    NAMED("unlink", at, name, real_unlinkat(at, name, flags));
}
EXPORT int mkdir(const char *name, mode_t mode) {
    REAL(int, mkdir, const char *, mode_t);
    NAMED("mkdir", AT_FDCWD, name, real_mkdir(name, mode));
}

/* ClickHouse reaches renameat2 (and nothing else that matters here) through syscall(). */
EXPORT long syscall(long number, ...) {
    REAL(long, syscall, long, ...);
    va_list rest;
    va_start(rest, number);
    long a = va_arg(rest, long), b = va_arg(rest, long), c = va_arg(rest, long);
    long d = va_arg(rest, long), e = va_arg(rest, long), f = va_arg(rest, long);
    va_end(rest);
    if (!faultfs_active || faultfs_inside) return real_syscall(number, a, b, c, d, e, f);
    switch (number) {
    case SYS_fsync: return fsync((int)a);
    case SYS_fdatasync: return fdatasync((int)a);
    case SYS_syncfs: return syncfs((int)a);
    case SYS_write: return write((int)a, (const void *)b, (size_t)c);
    case SYS_pwrite64: return pwrite((int)a, (const void *)b, (size_t)c, d);
    case SYS_rename: return rename((const char *)a, (const char *)b);
    case SYS_renameat: return renameat((int)a, (const char *)b, (int)c, (const char *)d);
    case SYS_renameat2: return renameat2((int)a, (const char *)b, (int)c, (const char *)d, (unsigned)e);
    case SYS_copy_file_range: return copy_file_range((int)a, (off_t *)b, (int)c, (off_t *)d, (size_t)e, (unsigned)f);
    case SYS_pwritev2: unsupported("pwritev2", ""); break;
    case SYS_io_submit: unsupported("io_submit", ""); break;
    case SYS_io_uring_enter: unsupported("io_uring_enter", ""); break;
    default: break;
    }
    return real_syscall(number, a, b, c, d, e, f);
}

/* chdb is loaded with RTLD_DEEPBIND, which would bind it to libc past this layer. */
EXPORT void *dlopen(const char *name, int flags) {
    REAL(void *, dlopen, const char *, int);
    return real_dlopen(name, faultfs_active ? flags & ~RTLD_DEEPBIND : flags);
}
