#include "linnet/status.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "core/memory.h"

namespace linnet {

struct Status::Error {
  Code code;
  bool allocated;
  char message[1];
};

namespace {

constexpr int kMaxMessage = 512;

struct Name {
  Code code;
  const char* text;
};
constexpr Name kNames[] = {
    {Code::ok, "ok"},
    {Code::invalid_argument, "invalid argument"},
    {Code::context_full, "context full"},
    {Code::busy, "busy"},
    {Code::cancelled, "cancelled"},
    {Code::not_found, "not found"},
    {Code::corrupt, "corrupt file"},
    {Code::unsupported, "unsupported"},
    {Code::mismatch, "mismatch"},
    {Code::out_of_memory, "out of memory"},
    {Code::io, "input or output failed"},
};

}  // namespace

const char* name(Code code) noexcept {
  for (const Name& entry : kNames)
    if (entry.code == code) return entry.text;
  return "unknown error";
}

Status Status::error(Code code, const char* format, ...) noexcept {
  char text[kMaxMessage];
  va_list arguments;
  va_start(arguments, format);
  int written = std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  size_t length = written < 0 ? 0 : static_cast<size_t>(written);
  if (length >= sizeof text) length = sizeof text - 1;

  // One static error per code stands in where no memory is left for the sentence.
  static const Error kBare[] = {
      {Code::invalid_argument, false, {0}}, {Code::context_full, false, {0}}, {Code::busy, false, {0}},
      {Code::cancelled, false, {0}},        {Code::not_found, false, {0}},    {Code::corrupt, false, {0}},
      {Code::unsupported, false, {0}},      {Code::mismatch, false, {0}},     {Code::out_of_memory, false, {0}},
      {Code::io, false, {0}}};
  Status status;
  void* memory = core::allocate(sizeof(Error) + length);
  if (memory) {
    Error* error = new (memory) Error{code, true, {0}};
    std::memcpy(error->message, text, length);
    error->message[length] = 0;
    status.error_ = error;
    return status;
  }
  status.error_ = &kBare[8];
  for (const Error& bare : kBare)
    if (bare.code == code) status.error_ = &bare;
  return status;
}

Status& Status::operator=(Status&& other) noexcept {
  std::swap(error_, other.error_);
  return *this;
}

Code Status::code() const noexcept { return error_ ? error_->code : Code::ok; }

const char* Status::message() const noexcept {
  if (!error_) return "";
  return error_->allocated ? error_->message : name(error_->code);
}

void Status::release() noexcept {
  if (error_->allocated) core::release(const_cast<Error*>(error_));
}

}  // namespace linnet
