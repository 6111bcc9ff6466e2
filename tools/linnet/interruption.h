// Ctrl-C that lets work be given up in order.
#pragma once

namespace linnet::tool {

/// From here to its end SIGINT and SIGTERM only leave a mark, once each; the second time they end the process as usual. Signals that were
/// ignored stay so. One at a time.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  static bool happened();
  /// Ends the process by the signal that was marked, as those who wait for it expect. Returns where there was none.
  static void finish();
};

}  // namespace linnet::tool
