// A stretch of text between two added tokens on its way through the stages. Stages that change it write its next form into one of two
// buffers, which all stretches of a call share.
#pragma once

#include <string_view>

#include "core/array.h"
#include "text/bytes.h"
#include "text/pattern.h"

namespace linnet::text {

class Stretch {
 public:
  /// `begins_input`: the first character of `text` is the first of the whole input. `limit`: the bytes that the text may grow to.
  void start(std::string_view text, bool begins_input, size_t limit) noexcept {
    text_ = text;
    begins_input_ = begins_input;
    buffers_[0].set_limit(limit);
    buffers_[1].set_limit(limit);
  }
  std::string_view text() const noexcept { return text_; }
  bool begins_input() const noexcept { return begins_input_; }
  /// The first characters were dropped: what is first now was not the input's first.
  void lose_begin() noexcept { begins_input_ = false; }

  /// The empty buffer for the text's next form, and the end of writing it.
  Bytes& rewrite() noexcept {
    buffers_[turn_].clear();
    return buffers_[turn_];
  }
  void finish() noexcept {
    text_ = buffers_[turn_].view();
    turn_ ^= 1;
  }
  /// The text becomes a part of itself.
  void cut(size_t begin, size_t end) noexcept { text_ = text_.substr(begin, end - begin); }
  /// Characters for a stage to work on, and their order when they are sorted.
  core::Array<int32_t>& points() noexcept { return points_; }
  size_t memory() const noexcept { return buffers_[0].capacity() + buffers_[1].capacity(); }

 private:
  std::string_view text_;
  Bytes buffers_[2];
  core::Array<int32_t> points_;
  unsigned turn_ = 0;
  bool begins_input_ = false;
};

/// The same, cut into pieces that lie in order and do not overlap.
struct Pieces {
  Stretch stretch;
  core::Array<Span> spans, next;

  std::string_view text(Span span) const noexcept { return stretch.text().substr(span.begin, span.end - span.begin); }
};

}  // namespace linnet::text
