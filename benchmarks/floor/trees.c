/* The commands about trees: what loading, committing and saving a layer comes down to. */
#include "floor.h"
#include <dirent.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

struct header {         /* POSIX.1-1988, ustar */
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100], magic[6], version[2],
         uname[32], gname[32], major[8], minor[8], prefix[155], rest[12];
};

static long octal(const char *field, int width)
{
    char text[16] = { 0 };
    memcpy(text, field, width);
    return strtol(text, 0, 8);
}

static void name_of(const struct header *h, char *name)
{
    if (h->prefix[0])
        snprintf(name, PATH, "%.155s/%.100s", h->prefix, h->name);
    else
        snprintf(name, PATH, "%.100s", h->name);
}

static void place(int root, const struct header *h, const char *content, long size)
{
    char name[PATH], link[101];
    struct timespec times[2] = { { 0, UTIME_OMIT }, { octal(h->mtime, 12), 0 } };
    long mode = octal(h->mode, 8);
    name_of(h, name);
    snprintf(link, sizeof link, "%.100s", h->link);
    if (h->type == '1') {
        DO(linkat(root, link, root, name, 0));
        return;
    }
    if (h->type == '2')
        DO(symlinkat(link, root, name));
    else if (h->type == '3' || h->type == '4')
        DO(mknodat(root, name, (h->type == '3' ? S_IFCHR : S_IFBLK) | mode, makedev(octal(h->major, 8), octal(h->minor, 8))));
    else if (h->type == '6')
        DO(mkfifoat(root, name, mode));
    else {
        int fd = openat(root, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
            fail(name);
        for (long done = 0, part; done < size; done += part)
            DO(part = write(fd, content + done, size - done));
        DO(fchown(fd, octal(h->uid, 8), octal(h->gid, 8)));
        DO(fchmod(fd, mode));
        DO(futimens(fd, times));
        close(fd);
        return;
    }
    DO(fchownat(root, name, octal(h->uid, 8), octal(h->gid, 8), AT_SYMLINK_NOFOLLOW));
    DO(utimensat(root, name, times, AT_SYMLINK_NOFOLLOW));
}

static void sync_tree(int root)
{
    DO(syncfs(root));
}

enum { FOLDERS, THINGS, LINKS, TIMES };        /* the passes: ext4 makes files fastest when all folders are there */

void do_unpack(const char *tar, const char *folder)
{
    double began = now();
    struct stat s;
    int fd = open(tar, O_RDONLY | O_CLOEXEC);
    DO(fd);
    DO(fstat(fd, &s));
    const char *bytes = mmap(0, s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    DO(mkdir(folder, 0755));
    int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DO(root);
    for (int pass = FOLDERS; pass <= TIMES; pass++)
        for (off_t at = 0; at + 512 <= s.st_size && bytes[at];) {
            const struct header *h = (const void *)(bytes + at);
            long size = h->type == '0' || !h->type ? octal(h->size, 12) : 0;
            int is_folder = h->type == '5', is_link = h->type == '1';
            char name[PATH];
            if (is_folder && (pass == FOLDERS || pass == TIMES)) {
                struct timespec times[2] = { { 0, UTIME_OMIT }, { octal(h->mtime, 12), 0 } };
                name_of(h, name);
                if (pass == FOLDERS && mkdirat(root, name, 0700) && errno != EEXIST)
                    fail(name);
                if (pass == TIMES) {
                    DO(fchownat(root, name, octal(h->uid, 8), octal(h->gid, 8), 0));
                    DO(fchmodat(root, name, octal(h->mode, 8), 0));
                    DO(utimensat(root, name, times, 0));
                }
            } else if (!is_folder && pass == (is_link ? LINKS : THINGS))
                place(root, h, bytes + at + 512, size);
            at += 512 + (size + 511) / 512 * 512;
        }
    sync_tree(root);
    printf("%f\n", now() - began);
    munmap((void *)bytes, s.st_size);
    close(root);
    close(fd);
}

typedef void visit(int from, int to, const char *name, const struct stat *s);

static void walk(int from, int to, visit *thing, int makes_folders)    /* the files of a folder, then its folders */
{
    char (*folders)[256] = 0;
    size_t count = 0;
    DIR *folder = fdopendir(dup(from));
    rewinddir(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        struct stat s;
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        DO(fstatat(from, entry->d_name, &s, AT_SYMLINK_NOFOLLOW));
        thing(from, to, entry->d_name, &s);
        if (S_ISDIR(s.st_mode)) {
            folders = realloc(folders, (count + 1) * sizeof *folders);
            snprintf(folders[count++], sizeof *folders, "%s", entry->d_name);
        }
    }
    closedir(folder);
    for (size_t i = 0; i < count; i++) {
        int inner = openat(from, folders[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), target = to;
        DO(inner);
        if (makes_folders)
            DO(target = openat(to, folders[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        walk(inner, target, thing, makes_folders);
        if (makes_folders) {            /* its time has changed with what came into it */
            struct stat s;
            DO(fstat(inner, &s));
            DO(futimens(target, (struct timespec[]){ s.st_atim, s.st_mtim }));
            close(target);
        }
        close(inner);
    }
    free(folders);
}

static void copy_thing(int from, int to, const char *name, const struct stat *s)
{
    struct timespec times[2] = { s->st_atim, s->st_mtim };
    if (S_ISDIR(s->st_mode))
        DO(mkdirat(to, name, s->st_mode & 07777));
    else if (S_ISLNK(s->st_mode)) {
        char target[PATH] = { 0 };
        DO(readlinkat(from, name, target, sizeof target - 1));
        DO(symlinkat(target, to, name));
    } else if (S_ISREG(s->st_mode)) {
        int source = openat(from, name, O_RDONLY | O_CLOEXEC), copy = openat(to, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        DO(source);
        DO(copy);
        for (off_t left = s->st_size; left > 0;) {
            ssize_t part = copy_file_range(source, 0, copy, 0, left, 0);
            DO(part);
            left -= part ? part : left;
        }
        DO(fchown(copy, s->st_uid, s->st_gid));
        DO(fchmod(copy, s->st_mode & 07777));
        DO(futimens(copy, times));
        close(source);
        close(copy);
    } else
        DO(mknodat(to, name, s->st_mode, s->st_rdev));
    if (!S_ISREG(s->st_mode)) {
        DO(fchownat(to, name, s->st_uid, s->st_gid, AT_SYMLINK_NOFOLLOW));
        DO(utimensat(to, name, times, AT_SYMLINK_NOFOLLOW));
    }
}

void do_copy(const char *from, const char *to)
{
    double began = now();
    DO(mkdir(to, 0755));
    int source = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC), target = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DO(source);
    DO(target);
    walk(source, target, copy_thing, 1);
    sync_tree(target);
    printf("%f\n", now() - began);
    close(source);
    close(target);
}

static char piece[1 << 20];

static void pack_thing(int from, int to, const char *name, const struct stat *s)
{
    static const char block[512];
    DO(write(to, block, sizeof block));
    if (!S_ISREG(s->st_mode))
        return;
    int fd = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    DO(fd);
    for (ssize_t part; (part = read(fd, piece, sizeof piece)) > 0;)
        DO(write(to, piece, part));
    DO(write(to, block, -s->st_size & 511));
    close(fd);
}

void do_pack(const char *folder, const char *file)
{
    double began = now();
    int source = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int target = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    DO(source);
    DO(target);
    walk(source, target, pack_thing, 0);
    printf("%f\n", now() - began);
    close(source);
    close(target);
}
