/* Control groups: one for each container in every hierarchy. */
#include "floor.h"

static const char *devices[] = { "c *:* m", "b *:* m", "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm",
                                 "c 5:0 rwm", "c 5:2 rwm", "c 136:* rwm" };

static void inherit(const char *folder, const char *name)      /* a v1 cpuset is born empty */
{
    char path[PATH], text[256];
    snprintf(path, sizeof path, "%s/../%s", folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    DO(size);
    close(fd);
    text[size] = 0;
    put(folder, name, text);
}

void group_path(char *path, int hierarchy, const char *id)
{
    snprintf(path, PATH, "%s/%s", groups[hierarchy], id);
}

void make_groups(const char *id)
{
    char path[PATH];
    for (int i = 0; i < group_count; i++) {
        group_path(path, i, id);
        DO(mkdir(path, 0755));
        if (there(path, "cpuset.cpus") && i != v2) {
            inherit(path, "cpuset.cpus");
            inherit(path, "cpuset.mems");
        }
        if (there(path, "devices.deny")) {
            put(path, "devices.deny", "a");
            for (size_t k = 0; k < sizeof devices / sizeof *devices; k++)
                put(path, "devices.allow", devices[k]);
        }
    }
}

void join_groups(const char *id)        /* by the process itself, which waits for no other processor */
{
    char path[PATH];
    for (int i = 0; i < group_count; i++)
        if (i != v2) {
            group_path(path, i, id);
            put(path, "tasks", "0");
        }
}

void remove_groups(const char *id)
{
    char path[PATH];
    for (int i = 0; i < group_count; i++) {
        group_path(path, i, id);
        while (rmdir(path) && errno == EBUSY)   /* the dead leave a moment after they were reaped */
            usleep(200);
    }
}
