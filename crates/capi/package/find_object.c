/*
 * Where the unwinder of GCC 12 and later looks for the frames of an object. glibc has this function
 * from 2.35 on and musl has it not at all, so the library brings its own and needs neither.
 */
#define _GNU_SOURCE
#include <link.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

/* As glibc's <dlfcn.h> has it where objects have no base for data and no count of frames. */
struct found_object {
  unsigned long long flags;
  void *map_start;
  void *map_end;
  void *link_map;
  void *eh_frame;
  unsigned long long reserved[7];
};

struct search {
  uintptr_t address;
  struct found_object *found;
};

static int look(struct dl_phdr_info *object, size_t size, void *data) {
  struct search *search = data;
  const ElfW(Phdr) *frames = NULL;
  int has_address = 0;
  (void)size;
  for (size_t i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
    const uintptr_t start = object->dlpi_addr + segment->p_vaddr;
    if (segment->p_type == PT_GNU_EH_FRAME) frames = segment;
    if (segment->p_type == PT_LOAD && search->address - start < segment->p_memsz) {
      has_address = 1;
      search->found->map_start = (void *)start;
      search->found->map_end = (void *)(start + segment->p_memsz);
    }
  }
  if (!has_address || frames == NULL) return has_address;
  search->found->eh_frame = (void *)(object->dlpi_addr + frames->p_vaddr);
  return 1;
}

/*
 * The unwinder names these weakly: a static program that links none of them, and yet has threads by
 * the unwinder's test, would call NULL.
 */
static void (*const volatile needed[])(void) = {
    (void (*)(void))pthread_once,
    (void (*)(void))pthread_mutex_lock,
    (void (*)(void))pthread_mutex_unlock,
};

/* By another name in C, since headers may declare it. */
int find_object(void *address, struct found_object *found) __asm__("_dl_find_object");

int find_object(void *address, struct found_object *found) {
  struct search search = {(uintptr_t)address, found};
  *found = (struct found_object){0};
  (void)needed[0];
  dl_iterate_phdr(look, &search);
  return found->eh_frame == NULL ? -1 : 0;
}
