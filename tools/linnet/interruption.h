// Ctrl-C that lets work be given up in order.
#pragma once

namespace linnet::tool {

/// From here to its end SIGINT, SIGTERM and SIGHUP only leave a mark, once each; the second time they end the process as usual. Its end is
/// the process's where there is a mark, by that signal, as those who wait for it expect. Signals that were ignored stay so. One at a time.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  static bool happened();
};

}  // namespace linnet::tool
