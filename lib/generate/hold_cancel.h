// A cancellation between two runs of one call must not be forgotten by the second.
#pragma once

#include "runtime/session_impl.h"

namespace linnet::generation {

class HoldCancel {
 public:
  explicit HoldCancel(Session& session) noexcept : session_(session.impl()) {
    session_.cancelled.store(false, std::memory_order_relaxed);
    session_.holds_cancel = true;
  }
  HoldCancel(const HoldCancel&) = delete;
  ~HoldCancel() { session_.holds_cancel = false; }
  bool cancelled() const noexcept { return session_.cancelled.load(std::memory_order_relaxed); }

 private:
  Session::Impl& session_;
};

}  // namespace linnet::generation
