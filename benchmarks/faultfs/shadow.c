/* What is durable: see faultfs.h. */
#include "faultfs.h"
#include <dirent.h>
#include <pthread.h>

#define SLOTS (1u << 16)
#define CLEAN INT64_MAX

char faultfs_root[PATH_MAX], faultfs_shadow[PATH_MAX], faultfs_rules[PATH_MAX];
int faultfs_active;
__thread int faultfs_inside;
static size_t root_length;
static dev_t root_device;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The offset from which a file must be copied at its next sync; open addressing on the inode. */
static struct { uint64_t inode; int64_t dirty_from; } slots[SLOTS];

/* ---- identity ---------------------------------------------------------------------------------- */

static int identify(const char *path, char *id, size_t size, int follow) {
    union { struct file_handle head; char room[sizeof(struct file_handle) + MAX_HANDLE_SZ]; } handle;
    int mount_id;
    struct stat st;
    if (follow ? stat(path, &st) : lstat(path, &st)) return -1;
    handle.head.handle_bytes = MAX_HANDLE_SZ;
    int used = snprintf(id, size, "%llx", (unsigned long long)st.st_ino);
    if (!syscall(SYS_name_to_handle_at, AT_FDCWD, path, &handle.head, &mount_id, follow ? AT_SYMLINK_FOLLOW : 0)) {
        used += snprintf(id + used, size - used, ".");
        for (unsigned i = 0; i < handle.head.handle_bytes && (size_t)used + 3 < size; i++)
            used += snprintf(id + used, size - used, "%02x", handle.head.f_handle[i]);
        return 0;
    }
    struct statx stx; /* no handles here (overlayfs): the time of birth tells generations apart */
    if (statx(AT_FDCWD, path, follow ? 0 : AT_SYMLINK_NOFOLLOW, STATX_BTIME, &stx)) return -1;
    snprintf(id + used, size - used, ".%llx.%x", (unsigned long long)stx.stx_btime.tv_sec, stx.stx_btime.tv_nsec);
    return 0;
}

/* Write the identity of the inode at `path` (a link is not followed) into `id`; 0 on success. */
EXPORT int faultfs_id(const char *path, char *id, size_t size) { return identify(path, id, size, 0); }

static int below_root(const char *path) {
    return !strncmp(path, faultfs_root, root_length) && (path[root_length] == '/' || !path[root_length]);
}

/* Absolute path of a descriptor, or 0 when it is not a file below the root. */
int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, PATH_MAX - 1);
    if (n <= 0) return 0;
    path[n] = 0;
    return below_root(path);
}

/* Absolute path of a (directory descriptor, name) pair; the name itself is not resolved. */
int resolve(int dirfd, const char *name, char *path) {
    char base[PATH_MAX], joined[2 * PATH_MAX + 2], parent[PATH_MAX];
    if (!name) return 0;
    if (name[0] == '/') snprintf(joined, sizeof joined, "%s", name);
    else {
        if (dirfd == AT_FDCWD) { if (!getcwd(base, sizeof base)) return 0; }
        else {
            char link[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd);
            ssize_t n = readlink(link, base, sizeof base - 1);
            if (n <= 0) return 0;
            base[n] = 0;
        }
        snprintf(joined, sizeof joined, "%s/%s", base, name);
    }
    size_t end = strlen(joined);
    while (end > 1 && joined[end - 1] == '/') joined[--end] = 0;
    char *leaf = strrchr(joined, '/');
    if (!leaf || leaf == joined) return 0;
    *leaf++ = 0;
    if (!realpath(joined, parent)) return 0;
    if (snprintf(path, PATH_MAX, "%s/%s", parent, leaf) >= PATH_MAX) return 0;
    return below_root(path);
}

/* ---- what is dirty ----------------------------------------------------------------------------- */

static int64_t *slot_of(uint64_t inode) {
    for (unsigned i = 0, at = (unsigned)(inode * 2654435761u) % SLOTS; i < SLOTS; i++, at = (at + 1) % SLOTS) {
        if (slots[at].inode == inode) return &slots[at].dirty_from;
        if (!slots[at].inode) { slots[at].inode = inode; slots[at].dirty_from = 0; return &slots[at].dirty_from; }
    }
    static int64_t full; /* table full: always copy everything */
    full = 0;
    return &full;
}

void dirty_inode(uint64_t inode, int64_t from) {
    pthread_mutex_lock(&lock);
    int64_t *dirty = slot_of(inode);
    if (from < *dirty) *dirty = from;
    pthread_mutex_unlock(&lock);
}

int is_ours(int fd, struct stat *st) {
    return faultfs_active && !faultfs_inside && !fstat(fd, st) && S_ISREG(st->st_mode) && st->st_dev == root_device;
}

void unsupported(const char *what, const char *path) {
    char name[PATH_MAX + 32], line[PATH_MAX + 64];
    snprintf(name, sizeof name, "%s/unsupported", faultfs_shadow);
    faultfs_inside++;
    int fd = open(name, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd >= 0) {
        int n = snprintf(line, sizeof line, "%s %s\n", what, path);
        if (write(fd, line, n) < 0) perror("faultfs");
        close(fd);
    }
    faultfs_inside--;
}

/* ---- making things durable --------------------------------------------------------------------- */

/* A file that cannot be copied would silently weaken the model: stop loudly instead. */
static void fatal(const char *what, const char *path) {
    fprintf(stderr, "faultfs: %s %s: %s\n", what, path, strerror(errno));
    abort();
}

static void copy_range(int from, int to, off_t offset) {
    static char buffer[1 << 20]; /* under the lock */
    ssize_t n;
    while ((n = pread(from, buffer, sizeof buffer, offset)) > 0) {
        if (pwrite(to, buffer, n, offset) != n) fatal("write", faultfs_shadow);
        offset += n;
    }
    if (n < 0) fatal("read", "file");
    if (ftruncate(to, offset)) fatal("truncate", faultfs_shadow);
}

/* `path` may be a descriptor's name in /proc, which stays right while others rename. */
static void sync_file(const char *path) {
    char id[256], name[PATH_MAX + 300];
    struct stat live, kept;
    if (identify(path, id, sizeof id, 1)) return; /* unlinked meanwhile: nothing can name it again */
    int from = open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0) { if (errno == ENOENT) return; fatal("open", path); }
    if (fstat(from, &live)) fatal("stat", path);
    snprintf(name, sizeof name, "%s/files/%s", faultfs_shadow, id);
    int to = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (to < 0 || fstat(to, &kept)) fatal("open", name);
    int64_t *dirty = slot_of(live.st_ino), start = *dirty;
    int moved = live.st_mtim.tv_sec != kept.st_mtim.tv_sec || live.st_mtim.tv_nsec != kept.st_mtim.tv_nsec;
    if (start == CLEAN && (moved || live.st_size != kept.st_size)) start = 0; /* written behind our back */
    if (start > kept.st_size) start = 0;
    if (start != CLEAN) {
        copy_range(from, to, start);
        struct timespec times[2] = {live.st_atim, live.st_mtim};
        futimens(to, times);
        *dirty = CLEAN;
    }
    close(to);
    close(from);
}

static void sync_directory(const char *path) {
    char id[256], child_id[256], name[PATH_MAX + 300], draft[PATH_MAX + 320], child[PATH_MAX + 300], target[PATH_MAX];
    struct dirent *entry;
    struct stat st;
    DIR *directory;
    if (identify(path, id, sizeof id, 1) || !(directory = opendir(path))) return;
    snprintf(name, sizeof name, "%s/dirs/%s", faultfs_shadow, id);
    snprintf(draft, sizeof draft, "%s.new", name);
    FILE *out = fopen(draft, "w");
    if (!out) fatal("open", draft);
    while ((entry = readdir(directory))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        if (lstat(child, &st) || faultfs_id(child, child_id, sizeof child_id)) continue; /* raced away */
        char type = S_ISDIR(st.st_mode) ? 'd' : S_ISLNK(st.st_mode) ? 'l' : 'f';
        fprintf(out, "%c %s %s", type, child_id, entry->d_name);
        ssize_t n = type == 'l' ? readlink(child, target, sizeof target - 1) : 0;
        if (n > 0) { target[n] = 0; fprintf(out, "%c%s", 1, target); }
        fputc(0, out);
    }
    closedir(directory);
    if (fclose(out) || rename(draft, name)) fatal("write", name);
}

static void sync_tree(const char *path) {
    struct stat st;
    struct dirent *entry;
    char child[PATH_MAX + 300];
    DIR *directory;
    if (lstat(path, &st)) return;
    if (S_ISREG(st.st_mode)) { sync_file(path); return; }
    if (!S_ISDIR(st.st_mode) || !(directory = opendir(path))) return;
    while ((entry = readdir(directory))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        sync_tree(child);
    }
    closedir(directory);
    sync_directory(path);
}

void make_durable(int fd, int everything) {
    char path[PATH_MAX];
    struct stat st;
    int kept_errno = errno;
    if (!everything) {
        if (!path_of(fd, path) || fstat(fd, &st)) return;
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    faultfs_inside++;
    pthread_mutex_lock(&lock);
    if (everything) sync_tree(faultfs_root);
    else if (S_ISDIR(st.st_mode)) sync_directory(path);
    else if (S_ISREG(st.st_mode)) sync_file(path);
    pthread_mutex_unlock(&lock);
    faultfs_inside--;
    errno = kept_errno;
}


/* Read the environment and, for an empty shadow, take what is there as durable. */
void shadow_start(void) {
    const char *at = getenv("FAULTFS_ROOT"), *kept = getenv("FAULTFS_SHADOW"), *how = getenv("FAULTFS_RULES");
    char name[PATH_MAX + 16];
    struct stat st;
    if (!at || !kept || !realpath(at, faultfs_root) || !realpath(kept, faultfs_shadow)) return;
    if (how) snprintf(faultfs_rules, sizeof faultfs_rules, "%s", how);
    root_length = strlen(faultfs_root);
    if (stat(faultfs_root, &st)) return;
    root_device = st.st_dev;
    snprintf(name, sizeof name, "%s/files", faultfs_shadow);
    mkdir(name, 0700);
    snprintf(name, sizeof name, "%s/dirs", faultfs_shadow);
    int fresh = !mkdir(name, 0700);
    faultfs_active = 1;
    if (fresh) make_durable(-1, 1);
}
