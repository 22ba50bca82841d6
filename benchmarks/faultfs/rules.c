/* Faults on demand: see faultfs.h. */
#include "faultfs.h"
#include <fnmatch.h>
#include <pthread.h>

#define RULES_MAX 16

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct rule { char action[16], op[16], glob[PATH_MAX]; long argument, nth, seen; } rules[RULES_MAX];
static int rule_count;
static struct timespec rules_time;

static void load_rules(void) {
    struct stat st;
    if (!*faultfs_rules || stat(faultfs_rules, &st)) { rule_count = 0; return; }
    if (st.st_mtim.tv_sec == rules_time.tv_sec && st.st_mtim.tv_nsec == rules_time.tv_nsec) return;
    rules_time = st.st_mtim;
    rule_count = 0;
    FILE *in = fopen(faultfs_rules, "r");
    if (!in) return;
    while (rule_count < RULES_MAX) {
        struct rule *rule = &rules[rule_count];
        char action[32];
        memset(rule, 0, sizeof *rule);
        if (fscanf(in, "%31s %15s %ld %4095s", action, rule->op, &rule->nth, rule->glob) != 4) break;
        char *colon = strchr(action, ':');
        if (colon) { *colon = 0; rule->argument = atol(colon + 1); }
        snprintf(rule->action, sizeof rule->action, "%.15s", action);
        rule_count++;
    }
    fclose(in);
}

/* The errno to fail with (0: go on). `after` is set when the process must die once the call is done. */
static int consult(const char *op, const char *path, int *after) {
    int failure = 0;
    *after = 0;
    faultfs_inside++;
    pthread_mutex_lock(&lock);
    load_rules();
    for (int i = 0; i < rule_count; i++) {
        struct rule *rule = &rules[i];
        if (strcmp(rule->op, op) || fnmatch(rule->glob, path, 0)) continue;
        rule->seen++;
        if (rule->nth && rule->seen != rule->nth) continue;
        if (!strcmp(rule->action, "kill")) kill(getpid(), SIGKILL);
        else if (!strcmp(rule->action, "kill-after")) *after = 1;
        else if (!strcmp(rule->action, "errno")) failure = (int)rule->argument;
        else if (!strcmp(rule->action, "sleep")) {
            struct timespec pause = {rule->argument / 1000, rule->argument % 1000 * 1000000};
            pthread_mutex_unlock(&lock);
            nanosleep(&pause, NULL);
            pthread_mutex_lock(&lock);
        }
    }
    pthread_mutex_unlock(&lock);
    faultfs_inside--;
    return failure;
}

int consult_fd(const char *op, int fd, int *after) {
    char path[PATH_MAX];
    *after = 0;
    if (!faultfs_active || faultfs_inside || !*faultfs_rules || !path_of(fd, path)) return 0;
    return consult(op, path, after);
}

int consult_at(const char *op, int dirfd, const char *name, int *after) {
    char path[PATH_MAX];
    *after = 0;
    if (!faultfs_active || faultfs_inside || !*faultfs_rules || !resolve(dirfd, name, path)) return 0;
    return consult(op, path, after);
}

void die_if(int after) {
    if (after) kill(getpid(), SIGKILL);
}
