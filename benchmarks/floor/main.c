/* The floor: what the kernel itself takes for the work of a container engine.
 *
 *     floor ROOTFS WORKDIR CGROUP...
 *
 * A plain C program makes the same system calls as an engine would, and nothing else: no records, no locks, no digests,
 * nothing synced but layers. ROOTFS is the read-only layer of all containers; WORKDIR an empty folder on the same file
 * system; each CGROUP a folder in one cgroup hierarchy, below which it makes a group for each container.
 *
 * It reads one command a line and answers with one line of numbers: milliseconds, unless it says otherwise.
 *
 *     start VOLATILE        one container that runs `true`: create, start, wait, remove
 *     hold / exec / release a container that sleeps; one more `true` in it; its end
 *     storm WORKERS COUNT   COUNT such containers by WORKERS processes, each removed completely
 *     crowd COUNT           COUNT containers that sleep, begun at once: until all run
 *     unpack TAR FOLDER     a tar of ustar headers becomes a tree, synced; both in this order on the disk
 *     copy FROM TO          a tree becomes another, synced
 *     pack FOLDER FILE      all blocks of a tar of it are written, but for what is in the headers
 *     log FILE OUT          a program writes FILE into a pipe; OUT gets it in the json-file format
 *     relay FILE TIMES      a program writes FILE into a pipe; it is moved to another pipe, and read there
 *     memory COUNT          kilobytes that COUNT processes take which do nothing but wait for a child
 */
#include "floor.h"
#include <time.h>

const char *rootfs, *workdir;
char **groups;
int group_count, v2 = -1;

void fail(const char *what)
{
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    _exit(1);
}

double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

void put(const char *folder, const char *name, const char *text)
{
    char path[PATH];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        fail(path);
    close(fd);
}

int there(const char *folder, const char *name)
{
    char path[PATH];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

int main(int argc, char **argv)
{
    static char line[3 * PATH], a[PATH], b[PATH];
    int m, n;
    if (argc < 3) {
        fprintf(stderr, "usage: floor ROOTFS WORKDIR CGROUP...\n");
        return 2;
    }
    rootfs = argv[1];
    workdir = argv[2];
    groups = argv + 3;
    group_count = argc - 3;
    for (int i = 0; i < group_count; i++)
        if (there(groups[i], "cgroup.controllers"))
            v2 = i;
    make_fixtures();
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "start %d", &n) == 1)
            do_start(n);
        else if (!strcmp(line, "hold\n")) {
            create(&held);
            start(&held, 1, "sleep");
            printf("0\n");
        } else if (!strcmp(line, "exec\n"))
            do_exec();
        else if (!strcmp(line, "release\n")) {
            finish(&held);
            printf("0\n");
        } else if (sscanf(line, "storm %d %d", &m, &n) == 2)
            do_storm(m, n);
        else if (sscanf(line, "crowd %d", &n) == 1)
            do_crowd(n);
        else if (sscanf(line, "memory %d", &n) == 1)
            do_memory(n);
        else if (sscanf(line, "unpack %4095s %4095s", a, b) == 2)
            do_unpack(a, b);
        else if (sscanf(line, "copy %4095s %4095s", a, b) == 2)
            do_copy(a, b);
        else if (sscanf(line, "pack %4095s %4095s", a, b) == 2)
            do_pack(a, b);
        else if (sscanf(line, "log %4095s %4095s", a, b) == 2)
            do_log(a, b);
        else if (sscanf(line, "relay %4095s %d", a, &n) == 2)
            do_relay(a, n);
        else {
            fprintf(stderr, "floor: what is %s", line);
            return 2;
        }
        fflush(stdout);
    }
    return 0;
}
