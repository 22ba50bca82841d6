/* faultfs: an LD_PRELOAD layer that remembers what a disk would hold if power failed now.
 *
 * Only what was explicitly synced is durable. For every file below FAULTFS_ROOT the layer keeps, in
 * FAULTFS_SHADOW, the bytes the file had at its last fsync/fdatasync (files/<id>) and the entries a
 * directory had at its last fsync (dirs/<id>: NUL-ended records "<type> <id> <name>", a link's target
 * after \1).
 * syncfs() and sync() make the whole tree durable. An <id> names the inode and its generation, so a
 * re-used inode number is a new file. Nothing else is trusted: sync_file_range is not a sync, and a
 * rename, link, unlink or mkdir is durable only when its directory was synced. __init__.py rebuilds the
 * tree after kill -9 in several variants (nothing unsynced survived; all metadata but no unsynced data
 * survived; a random mixture).
 *
 * Writes are observed only to know from which offset a file must be copied at its next sync. What the
 * layer cannot see is counted in FAULTFS_SHADOW/unsupported (shared writable mmap, AIO, io_uring).
 *
 * FAULTFS_RULES names a file of "<action> <op> <nth> <glob>" lines, re-read when it changes:
 * action = kill (before the call), kill-after, errno:<n>, sleep:<ms>; op = write, sync, open, rename,
 * unlink, mkdir or truncate; nth = the nth match only, 0 = every match; glob = fnmatch on the path
 * (of a rename: on its target).
 * The real sync is skipped (the page cache survives SIGKILL) unless FAULTFS_REAL_SYNC is set.
 */
#ifndef FAULTFS_H
#define FAULTFS_H
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

extern char faultfs_root[PATH_MAX], faultfs_shadow[PATH_MAX], faultfs_rules[PATH_MAX];
extern int faultfs_active;
extern __thread int faultfs_inside; /* our own file work must not be observed */

/* shadow.c: what is durable. */
int faultfs_id(const char *path, char *id, size_t size);
int path_of(int fd, char *path);
int resolve(int dirfd, const char *name, char *path);
int is_ours(int fd, struct stat *st);
void dirty_inode(uint64_t inode, int64_t from);
void unsupported(const char *what, const char *path);
void make_durable(int fd, int everything);
void shadow_start(void);

/* rules.c: faults on demand. Both return the errno to fail with, or 0. */
int consult_fd(const char *op, int fd, int *after);
int consult_at(const char *op, int dirfd, const char *name, int *after);
void die_if(int after);
#endif
