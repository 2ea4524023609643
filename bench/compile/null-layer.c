// A Vulkan layer in which recording and submitting succeed and do nothing. With it Dawn makes a device of a driver that has no hardware
// (RADV with RADV_FORCE_FAMILY), so that its compiler can be asked. Declares the little that it needs of Vulkan: no header is required.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef void (*Function)(void);
typedef Function (*GetProc)(void *object, const char *name);
typedef struct { void *next; GetProc instance, device; } Link; // an instance's link has its functions in the same order
typedef struct Info { int type; const struct Info *next; int function; Link *link; } Info; // VkLayerInstanceCreateInfo, VkLayerDeviceCreateInfo

static GetProc nextInstance, nextDevice;
static void *theInstance;

static int ok(void) { return 0; }
static void nothing(void) {}
static int queryResults(void *d, uint64_t pool, uint32_t first, uint32_t count, size_t size, void *data) {
  memset(data, 0, size);
  return 0;
}

static Info *linkOf(const Info *create, int type) {
  const Info *info = create->next;
  while (info && !(info->type == type && info->function == 0)) info = info->next;
  return (Info *)info;
}

static int createInstance(const Info *create, const void *allocator, void **out) {
  Info *own = linkOf(create, 47);
  if (!own) return -3;
  nextInstance = own->link->instance;
  own->link = own->link->next;
  int result = ((int (*)(const Info *, const void *, void **))nextInstance(NULL, "vkCreateInstance"))(create, allocator, out);
  theInstance = *out;
  return result;
}

static int createDevice(void *physical, const Info *create, const void *allocator, void **out) {
  Info *own = linkOf(create, 48);
  if (!own) return -3;
  GetProc instance = own->link->instance;
  nextDevice = own->link->device;
  own->link = own->link->next;
  return ((int (*)(void *, const Info *, const void *, void **))instance(theInstance, "vkCreateDevice"))(physical, create, allocator, out);
}

static Function getInstance(void *instance, const char *name);
static Function getDevice(void *device, const char *name);

static Function own(const char *name) {
  static const char *silent[] = {"vkBeginCommandBuffer", "vkEndCommandBuffer", "vkQueueSubmit", "vkQueueSubmit2", "vkQueueWaitIdle", "vkDeviceWaitIdle",
    "vkWaitForFences", "vkGetFenceStatus", "vkResetFences", "vkResetCommandBuffer", "vkResetCommandPool", "vkWaitSemaphores"};
  if (!strcmp(name, "vkGetInstanceProcAddr")) return (Function)getInstance;
  if (!strcmp(name, "vkGetDeviceProcAddr")) return (Function)getDevice;
  if (!strcmp(name, "vkCreateInstance")) return (Function)createInstance;
  if (!strcmp(name, "vkCreateDevice")) return (Function)createDevice;
  if (!strcmp(name, "vkGetQueryPoolResults")) return (Function)queryResults;
  if (!strncmp(name, "vkCmd", 5)) return nothing;
  for (unsigned i = 0; i < sizeof silent / sizeof *silent; i++)
    if (!strcmp(name, silent[i])) return (Function)ok;
  return NULL;
}

static Function getInstance(void *instance, const char *name) {
  Function found = own(name);
  return found ? found : nextInstance ? nextInstance(instance, name) : NULL;
}

static Function getDevice(void *device, const char *name) {
  Function found = own(name);
  return found ? found : nextDevice(device, name);
}

typedef struct { int type; void *next; uint32_t version; GetProc instance, device, physical; } Negotiation;

__attribute__((visibility("default"))) int vkNegotiateLoaderLayerInterfaceVersion(Negotiation *agreed) {
  agreed->version = 2;
  agreed->instance = getInstance;
  agreed->device = getDevice;
  agreed->physical = NULL;
  return 0;
}
