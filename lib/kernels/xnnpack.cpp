#include "kernels/xnnpack.h"

#if LINNET_WITH_XNNPACK

#include <xnnpack.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>

#include "core/checked.h"
#include "core/memory.h"

namespace linnet::kernels::xnnpack {
namespace {

using core::Checked;

constexpr size_t kAlignment = 64;
// XNNPACK pads output columns to its kernel's width and weight columns to its kernel's step; no kernel of it goes beyond these.
constexpr size_t kRowUnit = 64;
constexpr size_t kColumnUnit = 8;
// A slice's weights stay in a level-2 cache while every tile of rows passes over them, which XNNPACK itself does not see to.
constexpr size_t kSliceBytes = size_t{512} << 10;
constexpr size_t kFewestSlices = 8;      // of a matrix that is wide enough: for as many workers
constexpr size_t kOperatorBytes = 2304;  // one operator (2032 bytes in the version of November 2024) and its block's head

// ---- memory: XNNPACK has one allocator for the whole process, the first it is given

struct Piece {
  uint8_t* next;
  uint8_t* end;
};
// Where operators made on this thread go while `pack` is at work: the allocator has no other way of knowing whose they are.
thread_local Piece* planned_piece = nullptr;

struct Head {  // in front of every block
  void* base;  // null: planned memory, not the heap's
  size_t bytes;
};
Head* head_of(void* block) noexcept { return reinterpret_cast<Head*>(static_cast<uint8_t*>(block) - sizeof(Head)); }

uint8_t* behind_head(uint8_t* base, size_t alignment) noexcept {
  const uintptr_t least = reinterpret_cast<uintptr_t>(base) + sizeof(Head);
  return base + sizeof(Head) + (alignment - least % alignment) % alignment;
}

void* aligned_allocate(void*, size_t alignment, size_t bytes) noexcept {
  const size_t unit = std::max(alignment, kAlignment);
  const Checked total = Checked(bytes) + unit + sizeof(Head);
  if (!total.ok() || total.value() > SIZE_MAX / 2) return nullptr;
  if (Piece* piece = planned_piece) {
    uint8_t* block = behind_head(piece->next, unit);
    if (block <= piece->end && bytes <= static_cast<size_t>(piece->end - block)) {
      piece->next = block + bytes;
      *head_of(block) = {nullptr, bytes};
      return block;
    }
  }
  void* base = core::allocate(static_cast<size_t>(total.value()));
  if (!base) return nullptr;
  uint8_t* block = behind_head(static_cast<uint8_t*>(base), unit);
  *head_of(block) = {base, bytes};
  return block;
}
void deallocate(void*, void* block) noexcept {
  if (block && head_of(block)->base) core::release(head_of(block)->base);
}
void* allocate(void*, size_t bytes) noexcept { return aligned_allocate(nullptr, kAlignment, bytes); }
void* reallocate(void*, void* block, size_t bytes) noexcept {
  void* moved = allocate(nullptr, bytes);
  if (moved && block) {
    std::memcpy(moved, block, std::min(bytes, head_of(block)->bytes));
    deallocate(nullptr, block);
  }
  return moved;
}
constexpr xnn_allocator kAllocator = {nullptr, allocate, reallocate, deallocate, aligned_allocate, deallocate};

// ---- a packed product: this, operator handles, operators, weights

struct Run {
  xnn_operator_t handle;
  uint64_t count;
};

struct Product {
  size_t rows, columns, width, slices;
  Piece weights;
  bool complete;
  xnn_weights_cache_provider cache;
  Run* runs;
};

size_t slice_width(uint64_t rows, uint64_t columns) noexcept {
  const uint64_t width = std::min<uint64_t>(kSliceBytes / sizeof(float) / columns, rows / kFewestSlices) / kRowUnit * kRowUnit;
  return static_cast<size_t>(std::max<uint64_t>(width, kRowUnit));
}
// The last slice takes the rest: a narrow one would get other kernels, and those for up to 16 columns of AVX-512 lose NaN.
uint64_t slice_count(uint64_t rows, uint64_t width) noexcept { return std::max<uint64_t>(rows / width, 1); }
Checked slice_bytes(uint64_t width, uint64_t columns) noexcept {
  return (Checked(width).round_up(kRowUnit) * (Checked(columns).round_up(kColumnUnit) + 1) * sizeof(float)).round_up(kAlignment);
}

// XNNPACK takes room for packed weights from a cache that the caller may supply; this one never finds anything.
size_t look_up(void*, const xnn_weights_cache_look_up_key*) noexcept { return SIZE_MAX; }
void* reserve_space(void* context, size_t bytes) noexcept {
  const Piece& left = static_cast<Product*>(context)->weights;
  return bytes <= static_cast<size_t>(left.end - left.next) ? left.next : nullptr;
}
size_t insert(void* context, const xnn_weights_cache_look_up_key*, void* packed, size_t bytes) noexcept {
  auto* product = static_cast<Product*>(context);
  const size_t room = static_cast<size_t>(product->weights.end - product->weights.next);
  product->weights.next += std::min<uint64_t>(core::round_up(bytes, kAlignment), room);
  return static_cast<size_t>(static_cast<uint8_t*>(packed) - static_cast<uint8_t*>(context));
}
bool is_finalized(void* context) noexcept { return static_cast<Product*>(context)->complete; }
void* address(void* context, size_t offset) noexcept { return static_cast<uint8_t*>(context) + offset; }
xnn_status delete_cache(void*) noexcept { return xnn_status_success; }

Product* product_in(void* memory) noexcept { return static_cast<Product*>(memory); }
const Product* product_in(const void* memory) noexcept { return static_cast<const Product*>(memory); }

Status make_operators(Product* product, const float* weights, const float* bias, Piece* operators) noexcept {
  planned_piece = operators;
  xnn_status status = xnn_status_success;
  for (size_t i = 0; i < product->slices && status == xnn_status_success; ++i) {
    const Slice part = slice(product, i);
    status = xnn_create_fully_connected_nc_f32(product->columns, part.count, product->columns, product->rows,
                                               weights + part.first * product->columns, bias ? bias + part.first : nullptr, -INFINITY,
                                               INFINITY, 0, nullptr, &product->cache, &product->runs[i].handle);
  }
  planned_piece = nullptr;
  if (status == xnn_status_success) return {};
  if (status == xnn_status_out_of_memory) return Status::error(Code::out_of_memory, "no memory for XNNPACK's operators");
  return Status::error(Code::unsupported, "XNNPACK refused a product of %zu x %zu weights with status %d", product->rows, product->columns,
                       static_cast<int>(status));
}

// ---- the questions that only a trial answers: does a result depend on the number of rows, does NaN survive

constexpr size_t kTrialRows = 72, kTrialColumns = 52, kTrialTokens = 18;
constexpr size_t kTrialBytes = size_t{40} << 10;

struct Trial {
  float weights[kTrialRows * kTrialColumns], x[kTrialTokens * kTrialColumns];
  float all[kTrialTokens * kTrialRows], some[kTrialTokens * kTrialRows];
  alignas(kAlignment) uint8_t memory[kTrialBytes];

  void product(size_t tokens, float* y) noexcept {
    std::fill(y, y + kTrialTokens * kTrialRows, 0.0f);
    for (size_t i = 0; i < slices(memory); ++i) run(memory, i, tokens, x, y);
  }
  bool sums() noexcept {
    double expected = 0;
    for (size_t k = 0; k < kTrialColumns; ++k) expected += double{x[k]} * weights[k];
    product(kTrialTokens, all);
    return std::fabs(all[0] - expected) <= 1e-4 * (1 + std::fabs(expected));
  }
  bool rows_are_independent(size_t rows) noexcept {
    for (size_t tokens = 1; tokens < kTrialTokens; ++tokens) {
      product(tokens, some);
      if (std::memcmp(some, all, tokens * rows * sizeof(float)) != 0) return false;
    }
    return true;
  }
  // Of the first row, for one row and for many; puts the NaN into x.
  bool keeps_nan(size_t rows) noexcept {
    x[kTrialColumns / 2] = NAN;
    for (size_t tokens : {size_t{1}, kTrialTokens}) {
      product(tokens, some);
      if (!std::all_of(some, some + rows, [](float number) { return std::isnan(number); })) return false;
    }
    return true;
  }
};

// Numbers whose products and sums are rounded in every step, so that another order shows.
float uneven(size_t i) noexcept { return static_cast<float>(static_cast<int>(i * 2654435761u % 20011u) - 10005) * 1.2345e-4f; }

bool passes(size_t rows) noexcept {
  Trial trial;
  if (packed_bytes(rows, kTrialColumns) > sizeof(trial.memory)) return false;
  for (size_t i = 0; i < kTrialRows * kTrialColumns; ++i) trial.weights[i] = uneven(i);
  for (size_t i = 0; i < kTrialTokens * kTrialColumns; ++i) trial.x[i] = uneven(3 * i + 1);
  if (!pack(trial.weights, nullptr, rows, kTrialColumns, trial.memory).ok()) return false;
  const bool passed = trial.sums() && trial.rows_are_independent(rows) && trial.keeps_nan(rows);
  release(trial.memory);
  return passed;
}

}  // namespace

bool available() noexcept {
  static const bool answer = xnn_initialize(&kAllocator) == xnn_status_success && passes(kFewestRows) && passes(kTrialRows);
  return answer;
}

uint64_t packed_bytes(uint64_t rows, uint64_t columns) noexcept {
  if (rows < kFewestRows || columns == 0 || columns % kColumnGroup != 0 || columns > UINT32_MAX || rows > UINT32_MAX) return 0;
  const uint64_t width = slice_width(rows, columns), count = slice_count(rows, width);
  const Checked heads = Checked(sizeof(Product) + count * sizeof(Run)).round_up(kAlignment);
  const Checked weights = Checked(count - 1) * slice_bytes(width, columns) + slice_bytes(rows - (count - 1) * width, columns);
  const Checked bytes = heads + Checked(count) * kOperatorBytes + weights;
  return bytes.ok() && bytes.value() <= SIZE_MAX / 2 ? bytes.value() : 0;
}

Status pack(const float* weights, const float* bias, size_t rows, size_t columns, void* memory) noexcept {
  const uint64_t bytes = packed_bytes(rows, columns);
  if (bytes == 0) return Status::error(Code::unsupported, "XNNPACK takes no product of %zu x %zu weights", rows, columns);
  auto* product = new (memory) Product();
  product->rows = rows;
  product->columns = columns;
  product->width = slice_width(rows, columns);
  product->slices = static_cast<size_t>(slice_count(rows, product->width));
  product->cache = {product, look_up, reserve_space, insert, is_finalized, address, delete_cache};
  auto* base = static_cast<uint8_t*>(memory);
  product->runs = reinterpret_cast<Run*>(base + sizeof(Product));
  for (size_t i = 0; i < product->slices; ++i) new (product->runs + i) Run{};
  Piece operators;
  operators.next = base + core::round_up(sizeof(Product) + product->slices * sizeof(Run), kAlignment);
  operators.end = operators.next + product->slices * kOperatorBytes;
  product->weights = {operators.end, base + bytes};
  Status status = make_operators(product, weights, bias, &operators);
  product->complete = status.ok();
  if (status.ok()) return {};
  release(memory);
  product->slices = 0;
  return status;
}

void release(void* memory) noexcept {
  Product* product = product_in(memory);
  for (size_t i = 0; i < product->slices; ++i)
    if (product->runs[i].handle) xnn_delete_operator(product->runs[i].handle);
}

size_t slices(const void* memory) noexcept { return product_in(memory)->slices; }

Slice slice(const void* memory, size_t index) noexcept {
  const Product* product = product_in(memory);
  const size_t first = index * product->width;
  return {first, index + 1 < product->slices ? product->width : product->rows - first};
}

void run(void* memory, size_t index, size_t tokens, const float* x, float* y) noexcept {
  Product* product = product_in(memory);
  Run& slot = product->runs[index];
  // None of these can fail on an operator that exists, nor do they allocate: without a thread pool there is nothing to set up but numbers.
  xnn_reshape_fully_connected_nc_f32(slot.handle, tokens, nullptr);
  xnn_setup_fully_connected_nc_f32(slot.handle, x, y + slice(memory, index).first);
  xnn_run_operator(slot.handle, nullptr);
  ++slot.count;
}

uint64_t slices_run(const void* memory) noexcept {
  const Product* product = product_in(memory);
  uint64_t sum = 0;
  for (size_t i = 0; i < product->slices; ++i) sum += product->runs[i].count;
  return sum;
}

}  // namespace linnet::kernels::xnnpack

#else

namespace linnet::kernels::xnnpack {

bool available() noexcept { return false; }
uint64_t packed_bytes(uint64_t, uint64_t) noexcept { return 0; }
Status pack(const float*, const float*, size_t, size_t, void*) noexcept {
  return Status::error(Code::unsupported, "this build has no XNNPACK");
}
void release(void*) noexcept {}
size_t slices(const void*) noexcept { return 0; }
Slice slice(const void*, size_t) noexcept { return {}; }
void run(void*, size_t, size_t, const float*, float*) noexcept {}
uint64_t slices_run(const void*) noexcept { return 0; }

}  // namespace linnet::kernels::xnnpack

#endif
