// Opens plug-ins that each contain Bursar, lets them work for each other, and closes them early. Says what it found:
// `one registry`, and whether malloc is tracked; or the first thing that was wrong. With BURSAR_HOST_HAS_BURSAR the
// program contains Bursar itself.

#include "unit/interpose/registry_plugin.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#ifdef BURSAR_HOST_HAS_BURSAR
#include <bursar/groups/resource_group_registry.h>
#endif

namespace {

struct Plugin {
  void* handle = nullptr;
  decltype(&plugin_group_number) group_number = nullptr;
  decltype(&plugin_current_group_number) current_group_number = nullptr;
  decltype(&plugin_charge) charge = nullptr;
  decltype(&plugin_credit) credit = nullptr;
  decltype(&plugin_live_bytes) live_bytes = nullptr;
  decltype(&plugin_allocate_in) allocate_in = nullptr;
  decltype(&plugin_is_tracked) is_tracked = nullptr;
  decltype(&plugin_enter) enter = nullptr;
  decltype(&plugin_leave) leave = nullptr;
};

template <typename Function>
void find(void* handle, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(handle, name));
}

Plugin open(const char* path) {
  Plugin plugin;
  plugin.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (plugin.handle == nullptr) {
    std::printf("cannot open: %s\n", dlerror());
    std::exit(1);
  }
  find(plugin.handle, "plugin_group_number", plugin.group_number);
  find(plugin.handle, "plugin_current_group_number", plugin.current_group_number);
  find(plugin.handle, "plugin_charge", plugin.charge);
  find(plugin.handle, "plugin_credit", plugin.credit);
  find(plugin.handle, "plugin_live_bytes", plugin.live_bytes);
  find(plugin.handle, "plugin_allocate_in", plugin.allocate_in);
  find(plugin.handle, "plugin_is_tracked", plugin.is_tracked);
  find(plugin.handle, "plugin_enter", plugin.enter);
  find(plugin.handle, "plugin_leave", plugin.leave);
  return plugin;
}

void require(bool is_right, const char* what) {
  if (is_right) return;
  std::printf("wrong: %s\n", what);
  std::exit(1);
}

// A thread that opens its account in the first plug-in's code and ends after that plug-in was closed.
struct Lodger {
  Plugin host;
  std::atomic<int> step{0};
  pthread_t thread{};

  void begin() {
    pthread_create(
        &thread, nullptr,
        [](void* self) -> void* {
          auto& lodger = *static_cast<Lodger*>(self);
          lodger.host.charge("lodger", 100);
          lodger.step = 1;
          while (lodger.step != 2) sched_yield();
          return nullptr;
        },
        this);
    while (step != 1) sched_yield();
  }
  void end() {
    step = 2;
    pthread_join(thread, nullptr);
  }
};

}  // namespace

int main(int count, char** paths) {
  std::vector<Plugin> plugins;
  plugins.push_back(open(paths[1]));
  void* guard = plugins[0].enter("shared");
  plugins[0].charge("shared", 1'000);
  // The others are opened late: the group is there, and this thread is in it.
  for (int i = 2; i < count; ++i) plugins.push_back(open(paths[i]));
  for (const Plugin& plugin : plugins) {
    require(plugin.group_number("shared") == plugins[0].group_number("shared"), "the same name, another token");
    require(plugin.current_group_number() == plugins[0].group_number("shared"), "the thread's group is not seen");
    require(plugin.live_bytes("shared") >= 1'000, "what the first one charged is not seen");
    require(plugin.is_tracked() == plugins[0].is_tracked(), "tracked for one and not for another");
  }
#ifdef BURSAR_HOST_HAS_BURSAR
  bursar::ResourceGroupRegistry& registry = bursar::ResourceGroupRegistry::global();
  require(registry.register_resource_group("shared").index() == plugins[0].group_number("shared"), "the host's token");
  require(bursar::ResourceGroupToken::current().name() == "shared", "the host's current group");
  require(registry.register_resource_group("shared").stats().totals().live_bytes() >= 1'000, "the host's ledger");
#endif
  const bool is_tracked = plugins[0].is_tracked() != 0;
  void* block = plugins[0].allocate_in("outstanding", 5'000);
  Lodger lodger{.host = plugins[0]};
  lodger.begin();

  // The first is closed while its guard is open, its thread lives and its blocks are outstanding.
  const std::uint32_t number = plugins[0].group_number("shared");
  dlclose(plugins[0].handle);
  const Plugin& other = plugins.back();
  require(other.group_number("shared") == number, "the group went with the plug-in");
  require((other.live_bytes("outstanding") >= 5'000) == is_tracked, "the outstanding block's bytes");
  std::free(block);
  require(other.live_bytes("outstanding") == 0, "the outstanding block's release");
  lodger.end();
  require(other.live_bytes("lodger") == 100, "what the thread charged went with the plug-in");
  plugins[0].leave(guard);
  require(other.current_group_number() == 0, "the guard's end");
  other.credit("shared", 1'000);
  const pid_t child = fork();
  if (child == 0) _exit(other.live_bytes("lodger") == 100 ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  require(status == 0, "the ledger in a child");
  // Opened again, it finds what it left.
  const Plugin again = open(paths[1]);
  require(again.group_number("shared") == number && again.live_bytes("lodger") == 100, "opened again");
  for (std::size_t i = 1; i < plugins.size(); ++i) dlclose(plugins[i].handle);
  std::printf("one registry, %s\n", is_tracked ? "tracked" : "not tracked");
}
