/*
 * libmodsecurity behind two commands, so that it can be put beside `seclang`: the same rules, the
 * same requests. Built by `cargo xtask bench waf` and by the differential tests of `seclang`, with
 * `cc -O2 modsecurity.c -ldl`. The library is named when it runs, so any version of it will do.
 *
 *     modsecurity LIBRARY RULES
 *
 * It says `ready LOAD_NS RESIDENT_KIB VERSION` when rules are loaded, then answers lines:
 *
 *     run FILE TIMES   `CPU_NS REQUESTS STATUS`: all requests of the file so often, and the status
 *                      of the last one (0: let through)
 *     ids FILE         for each request `STATUS ID ID ...`: the rules told of, in their order
 *
 * A file has requests one after the other: a line each for the method, the target, the version
 * (`1.1`), the count of fields and the length of the body; two lines for each field; the body.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    int status;
    int pause;
    char *url;
    char *log;
    int disruptive;
} Intervention;

typedef void (*LogCallback)(void *, const void *);

static struct {
    void *(*init)(void);
    const char *(*who)(void *);
    void (*set_log)(void *, LogCallback);
    void *(*rules)(void);
    int (*add_file)(void *, const char *, const char **);
    void *(*transaction)(void *, void *, void *);
    int (*connection)(void *, const char *, int, const char *, int);
    int (*uri)(void *, const char *, const char *, const char *);
    int (*field)(void *, const unsigned char *, size_t, const unsigned char *, size_t);
    int (*head)(void *);
    int (*append)(void *, const unsigned char *, size_t);
    int (*body)(void *);
    int (*logging)(void *);
    int (*intervention)(void *, Intervention *);
    void (*cleanup)(void *);
} ms;

static void fail(const char *what, const char *why) {
    fprintf(stderr, "error: %s: %s\n", what, why ? why : "unknown");
    exit(1);
}

static void *symbol(void *library, const char *name) {
    void *found = dlsym(library, name);
    if (!found) fail("the library lacks", name);
    return found;
}

static void bind(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (!library) fail("cannot load the library", dlerror());
    *(void **)&ms.init = symbol(library, "msc_init");
    *(void **)&ms.who = symbol(library, "msc_who_am_i");
    *(void **)&ms.set_log = symbol(library, "msc_set_log_cb");
    *(void **)&ms.rules = symbol(library, "msc_create_rules_set");
    *(void **)&ms.add_file = symbol(library, "msc_rules_add_file");
    *(void **)&ms.transaction = symbol(library, "msc_new_transaction");
    *(void **)&ms.connection = symbol(library, "msc_process_connection");
    *(void **)&ms.uri = symbol(library, "msc_process_uri");
    *(void **)&ms.field = symbol(library, "msc_add_n_request_header");
    *(void **)&ms.head = symbol(library, "msc_process_request_headers");
    *(void **)&ms.append = symbol(library, "msc_append_request_body");
    *(void **)&ms.body = symbol(library, "msc_process_request_body");
    *(void **)&ms.logging = symbol(library, "msc_process_logging");
    *(void **)&ms.intervention = symbol(library, "msc_intervention");
    *(void **)&ms.cleanup = symbol(library, "msc_transaction_cleanup");
}

/* What rules told of in this request. */
enum { IDS_MAX = 65536, FIELDS_MAX = 4096 };
static long ids[IDS_MAX];
static int id_count;

static void on_log(void *data, const void *message) {
    (void)data;
    const char *found = strstr((const char *)message, "[id \"");
    if (found && id_count < IDS_MAX) ids[id_count++] = strtol(found + 5, NULL, 10);
}

static uint64_t cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static long resident_kib(void) {
    long pages = 0, held = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file) {
        if (fscanf(file, "%ld %ld", &pages, &held) != 2) held = 0;
        fclose(file);
    }
    return held * 4;
}

typedef struct {
    char *bytes, *end, *at;
} File;

static File read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) fail("cannot open", path);
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    File all = {malloc(size + 1), NULL, NULL};
    if (!all.bytes || fread(all.bytes, 1, size, file) != size) fail("cannot read", path);
    fclose(file);
    all.at = all.bytes;
    all.end = all.bytes + size;
    *all.end = '\n';
    return all;
}

static char *line(File *file, size_t *length) {
    char *begin = file->at;
    char *end = memchr(begin, '\n', (size_t)(file->end - begin) + 1);
    if (!end) fail("a file of requests", "it ends early");
    *end = 0;
    *length = (size_t)(end - begin);
    file->at = end < file->end ? end + 1 : file->end;
    return begin;
}

typedef struct {
    char *method, *target, *version, *body;
    size_t fields, body_length;
    char **names, **values;
    size_t *name_lengths, *value_lengths;
} Request;

static Request *read_requests(const char *path, size_t *count) {
    File file = read_file(path);
    Request *all = NULL;
    size_t ignored;
    *count = 0;
    while (file.at < file.end) {
        all = realloc(all, (*count + 1) * sizeof *all);
        Request *one = &all[(*count)++];
        one->method = line(&file, &ignored);
        one->target = line(&file, &ignored);
        one->version = line(&file, &ignored);
        one->fields = strtoul(line(&file, &ignored), NULL, 10);
        one->body_length = strtoul(line(&file, &ignored), NULL, 10);
        if (one->fields > FIELDS_MAX) fail("a file of requests", "too many fields");
        one->names = calloc(one->fields + 1, sizeof(char *));
        one->values = calloc(one->fields + 1, sizeof(char *));
        one->name_lengths = calloc(one->fields + 1, sizeof(size_t));
        one->value_lengths = calloc(one->fields + 1, sizeof(size_t));
        for (size_t at = 0; at < one->fields; at++) {
            one->names[at] = line(&file, &one->name_lengths[at]);
            one->values[at] = line(&file, &one->value_lengths[at]);
        }
        one->body = file.at;
        if (one->body_length > (size_t)(file.end - file.at)) fail("a file of requests", "it ends early");
        file.at += one->body_length;
    }
    return all;
}

static int interrupted(void *transaction) {
    Intervention found = {200, 0, NULL, NULL, 0};
    int any = ms.intervention(transaction, &found);
    free(found.url);
    free(found.log);
    return any ? found.status : 0;
}

static int phases(void *transaction, const Request *one) {
    int status;
    ms.connection(transaction, "127.0.0.1", 4711, "127.0.0.1", 80);
    ms.uri(transaction, one->target, one->method, one->version);
    if ((status = interrupted(transaction))) return status;
    for (size_t at = 0; at < one->fields; at++)
        ms.field(transaction, (unsigned char *)one->names[at], one->name_lengths[at],
                 (unsigned char *)one->values[at], one->value_lengths[at]);
    ms.head(transaction);
    if ((status = interrupted(transaction))) return status;
    if (one->body_length) {
        ms.append(transaction, (unsigned char *)one->body, one->body_length);
        if ((status = interrupted(transaction))) return status;
    }
    ms.body(transaction);
    return interrupted(transaction);
}

static int exchange(void *engine, void *rules, const Request *one) {
    id_count = 0;
    void *transaction = ms.transaction(engine, rules, NULL);
    int status = phases(transaction, one);
    ms.logging(transaction);
    ms.cleanup(transaction);
    return status;
}

int main(int count, char **words) {
    static char command[8192], path[4096];
    if (count != 3) fail("usage", "modsecurity LIBRARY RULES");
    bind(words[1]);
    uint64_t begun = cpu_ns();
    void *engine = ms.init();
    ms.set_log(engine, on_log);
    void *rules = ms.rules();
    const char *error = NULL;
    if (ms.add_file(rules, words[2], &error) < 0) fail("the rules are refused", error);
    printf("ready %llu %ld %s\n", (unsigned long long)(cpu_ns() - begun), resident_kib(), ms.who(engine));
    fflush(stdout);
    while (fgets(command, sizeof command, stdin)) {
        unsigned long times = 0;
        size_t requests = 0;
        if (sscanf(command, "run %4095s %lu", path, &times) == 2) {
            Request *all = read_requests(path, &requests);
            int status = 0;
            uint64_t from = cpu_ns();
            for (unsigned long time = 0; time < times; time++)
                for (size_t at = 0; at < requests; at++) status = exchange(engine, rules, &all[at]);
            printf("%llu %lu %d\n", (unsigned long long)(cpu_ns() - from), times * requests, status);
        } else if (sscanf(command, "ids %4095s", path) == 1) {
            Request *all = read_requests(path, &requests);
            for (size_t at = 0; at < requests; at++) {
                printf("%d", exchange(engine, rules, &all[at]));
                for (int id = 0; id < id_count; id++) printf(" %ld", ids[id]);
                putchar('\n');
            }
        } else {
            fail("unknown command", command);
        }
        fflush(stdout);
    }
    return 0;
}
