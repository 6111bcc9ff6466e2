#include "linnet/adapter.h"

#include "core/try.h"
#include "ops/operation.h"

namespace linnet {
namespace {

Result<format::AdapterFile*> bound(Result<format::AdapterFile*> opened, const Model& model) {
  if (!opened.ok()) return opened;
  format::AdapterFile* file = *opened;
  Status status = file->bind(model.file());
  if (status.ok()) status = ops::verify_adapter(*file, model.file());
  if (status.ok()) return file;
  file->release();
  return status;
}

}  // namespace

Result<Adapter> Adapter::open(const Model& model, const char* path, const OpenOptions& options) noexcept {
  LINNET_ASSIGN(format::AdapterFile * file, bound(format::AdapterFile::open(path, options), model));
  return Adapter(file);
}

Result<Adapter> Adapter::open(const Model& model, const void* bytes, size_t length, const OpenOptions& options) noexcept {
  LINNET_ASSIGN(format::AdapterFile * file, bound(format::AdapterFile::open(bytes, length, options), model));
  return Adapter(file);
}

Adapter::Adapter(Adapter&& other) noexcept : file_(std::exchange(other.file_, nullptr)) {}

Adapter& Adapter::operator=(Adapter&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

Adapter::~Adapter() {
  if (file_) file_->release();
}

Adapter Adapter::share() const noexcept {
  file_->retain();
  return Adapter(file_);
}

uint32_t Adapter::rank() const noexcept { return file_->rank(); }
uint64_t Adapter::weight_bytes() const noexcept { return file_->file().weight_bytes(); }
uint64_t Adapter::hash() const noexcept { return file_->file().hash(); }
size_t Adapter::targets() const noexcept { return file_->targets().size(); }

TargetInfo Adapter::target(size_t i) const noexcept {
  if (i >= targets()) return {};
  const format::Target& target = file_->targets()[i];
  return {target.base, schema::EnumNameTargetKind(target.kind), target.first_row, target.rows, target.rank};
}

}  // namespace linnet
