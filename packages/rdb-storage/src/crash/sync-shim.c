/*
 * Preloaded into a process, it writes down what the process does to the files below one folder: what was created,
 * renamed and removed, what was written, and what was synced. After a kill, crash-image.ts builds from that what a
 * machine that lost its power would have kept.
 *
 *   SHIM_FOLDER   the folder to watch, absolute
 *   SHIM_GRAVE    a folder on the same file system: every file gets a second name there, its inode number, so that
 *                 removing it loses nothing
 *   SHIM_JOURNAL  the file to append to, one line for each event:
 *     C inode path          created            R inode from\tto      renamed
 *     U inode path          removed            M 0 path              folder made
 *     W inode end           written up to end  T inode length        made shorter, or longer by zeros
 *     S inode position      synced: covers the lines before position (counted from 0)
 *     D inode position      folder synced: covers the lines before position
 *     X 0 reason            something that this model does not cover
 *
 * sync_file_range is let through and does not count as a sync: it orders nothing and flushes no disk cache.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_FDS 65536

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *folder;
static const char *grave;
static size_t folder_length;
static int journal = -1;
static long lines;
/* Inode of each watched descriptor, or 0. */
static ino_t watched[MAX_FDS];
static char is_folder[MAX_FDS];
static char is_append[MAX_FDS];

static void *real(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (!found) abort();
  return found;
}
#define REAL(type, name, parameters)              \
  static type(*next) parameters;                  \
  if (!next) next = (type(*) parameters)real(name)

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("SHIM_JOURNAL");
  folder = getenv("SHIM_FOLDER");
  grave = getenv("SHIM_GRAVE");
  if (!path || !folder || !grave) return;
  folder_length = strlen(folder);
  int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  /* Out of the way of descriptors that the program counts on. */
  journal = (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 1000);
  syscall(SYS_close, fd);
}

/* With the lock held. */
static void note(char kind, ino_t inode, const char *rest) {
  char line[2 * PATH_MAX + 64];
  int length = snprintf(line, sizeof line, "%c %lu %s\n", kind, (unsigned long)inode, rest);
  if (length <= 0 || syscall(SYS_write, journal, line, (size_t)length) != length) abort();
  lines++;
}

static void note_number(char kind, ino_t inode, long number) {
  char text[32];
  snprintf(text, sizeof text, "%ld", number);
  pthread_mutex_lock(&lock);
  note(kind, inode, text);
  pthread_mutex_unlock(&lock);
}

/* Whether a path lies below the folder; makes it absolute. */
static int below(const char *path, char *absolute) {
  if (journal < 0 || !path) return 0;
  if (path[0] == '/') {
    if (strlen(path) >= PATH_MAX) return 0;
    strcpy(absolute, path);
  } else {
    if (!getcwd(absolute, PATH_MAX - strlen(path) - 2)) return 0;
    strcat(absolute, "/");
    strcat(absolute, path);
  }
  size_t length = strlen(absolute);
  while (length > 1 && absolute[length - 1] == '/') absolute[--length] = 0;
  return strncmp(absolute, folder, folder_length) == 0 &&
         (absolute[folder_length] == 0 || absolute[folder_length] == '/');
}

static ino_t inode_of(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 ? status.st_ino : 0;
}

static int watch(int fd, const char *absolute, int flags, int is_new) {
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) return fd;
  if (fd >= MAX_FDS) abort();
  if (is_new) {
    char second[PATH_MAX];
    snprintf(second, sizeof second, "%s/%lu", grave, (unsigned long)status.st_ino);
    if (link(absolute, second) != 0) abort();
    note('C', status.st_ino, absolute);
  } else if ((flags & O_TRUNC) && status.st_mode & S_IFREG) {
    note('T', status.st_ino, "0");
  }
  watched[fd] = status.st_ino;
  is_folder[fd] = S_ISDIR(status.st_mode);
  is_append[fd] = (flags & O_APPEND) != 0;
  return fd;
}

static int open_watched(int at, const char *path, int flags, mode_t mode) {
  char absolute[PATH_MAX];
  if (!below(path, absolute)) return (int)syscall(SYS_openat, at, path, flags, mode);
  pthread_mutex_lock(&lock);
  int is_new = (flags & O_CREAT) && access(absolute, F_OK) != 0;
  int fd = (int)syscall(SYS_openat, at, path, flags, mode);
  int failure = errno;
  watch(fd, absolute, flags, is_new);
  pthread_mutex_unlock(&lock);
  errno = failure;
  return fd;
}

static mode_t mode_of(int flags, va_list arguments) {
  return flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
}

#define OPEN(name)                                   \
  int name(const char *path, int flags, ...) {       \
    va_list arguments;                               \
    va_start(arguments, flags);                      \
    mode_t mode = mode_of(flags, arguments);         \
    va_end(arguments);                               \
    return open_watched(AT_FDCWD, path, flags, mode); \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                   \
  int name(int at, const char *path, int flags, ...) { \
    va_list arguments;                                 \
    va_start(arguments, flags);                        \
    mode_t mode = mode_of(flags, arguments);           \
    va_end(arguments);                                 \
    return open_watched(at, path, flags, mode);        \
  }
OPENAT(openat)
OPENAT(openat64)

int creat(const char *path, mode_t mode) {
  return open_watched(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int close(int fd) {
  if (fd >= 0 && fd < MAX_FDS) watched[fd] = 0;
  return (int)syscall(SYS_close, fd);
}

/*
 * The inode of a watched descriptor, or 0. Some libraries close by the bare system call: what a descriptor is now has
 * to be what it was when it was opened.
 */
static ino_t inode_at(int fd) {
  if (fd < 0 || fd >= MAX_FDS || !watched[fd]) return 0;
  int failure = errno;
  struct stat status;
  mode_t kind = is_folder[fd] ? S_IFDIR : S_IFREG;
  if (fstat(fd, &status) != 0 || status.st_ino != watched[fd] || (status.st_mode & S_IFMT) != kind) {
    watched[fd] = 0;
  }
  errno = failure;
  return watched[fd];
}

static ino_t file_of(int fd) {
  return inode_at(fd) && !is_folder[fd] ? watched[fd] : 0;
}

/* Notes a write that ended at `end`, or at the descriptor's position when `end` is negative. */
static ssize_t wrote(int fd, ssize_t count, off_t end) {
  ino_t inode = file_of(fd);
  if (inode && count > 0) {
    int failure = errno;
    struct stat status;
    if (end < 0) {
      end = is_append[fd] && fstat(fd, &status) == 0 ? status.st_size : lseek(fd, 0, SEEK_CUR);
    }
    note_number('W', inode, (long)end);
    errno = failure;
  }
  return count;
}

ssize_t write(int fd, const void *data, size_t size) {
  return wrote(fd, syscall(SYS_write, fd, data, size), -1);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  return wrote(fd, syscall(SYS_writev, fd, parts, count), -1);
}

static ssize_t positioned(int fd, ssize_t count, off_t offset) {
  return wrote(fd, count, count > 0 ? offset + count : 0);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
  return positioned(fd, syscall(SYS_pwrite64, fd, data, size, offset), offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset) {
  return positioned(fd, syscall(SYS_pwrite64, fd, data, size, offset), offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
  REAL(ssize_t, "pwritev", (int, const struct iovec *, int, off_t));
  return positioned(fd, next(fd, parts, count, offset), offset);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t offset) {
  REAL(ssize_t, "pwritev64", (int, const struct iovec *, int, off_t));
  return positioned(fd, next(fd, parts, count, offset), offset);
}

static int sync_with(int number, int fd) {
  ino_t inode = inode_at(fd);
  /* What counts is what was noted when the sync began. */
  pthread_mutex_lock(&lock);
  long position = lines;
  pthread_mutex_unlock(&lock);
  int result = (int)syscall(number, fd);
  if (inode && result == 0) note_number(is_folder[fd] ? 'D' : 'S', inode, position);
  return result;
}

int fsync(int fd) { return sync_with(SYS_fsync, fd); }
int fdatasync(int fd) { return sync_with(SYS_fdatasync, fd); }

static int cut(int fd, off_t length) {
  int result = (int)syscall(SYS_ftruncate, fd, length);
  ino_t inode = file_of(fd);
  if (inode && result == 0) note_number('T', inode, (long)length);
  return result;
}

int ftruncate(int fd, off_t length) { return cut(fd, length); }
int ftruncate64(int fd, off_t length) { return cut(fd, length); }

int rename(const char *from, const char *to) {
  char absolute_from[PATH_MAX], absolute_to[PATH_MAX], both[2 * PATH_MAX];
  int is_watched = below(from, absolute_from) & below(to, absolute_to);
  if (!is_watched) return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  pthread_mutex_lock(&lock);
  ino_t inode = inode_of(absolute_from);
  int result = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  int failure = errno;
  if (result == 0) {
    snprintf(both, sizeof both, "%s\t%s", absolute_from, absolute_to);
    note('R', inode, both);
  }
  pthread_mutex_unlock(&lock);
  errno = failure;
  return result;
}

int unlink(const char *path) {
  char absolute[PATH_MAX];
  if (!below(path, absolute)) return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  pthread_mutex_lock(&lock);
  ino_t inode = inode_of(absolute);
  int result = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  int failure = errno;
  if (result == 0) note('U', inode, absolute);
  pthread_mutex_unlock(&lock);
  errno = failure;
  return result;
}

int mkdir(const char *path, mode_t mode) {
  char absolute[PATH_MAX];
  int result = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
  if (result == 0 && below(path, absolute)) {
    pthread_mutex_lock(&lock);
    note('M', 0, absolute);
    pthread_mutex_unlock(&lock);
  }
  return result;
}

static void *map(void *address, size_t size, int protection, int flags, int fd, off_t offset) {
  if ((protection & PROT_WRITE) && (flags & MAP_SHARED) && file_of(fd)) {
    pthread_mutex_lock(&lock);
    note('X', 0, "a file is written through a mapping");
    pthread_mutex_unlock(&lock);
  }
  return (void *)syscall(SYS_mmap, address, size, protection, flags, fd, offset);
}

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset) {
  return map(address, size, protection, flags, fd, offset);
}

void *mmap64(void *address, size_t size, int protection, int flags, int fd, off_t offset) {
  return map(address, size, protection, flags, fd, offset);
}
