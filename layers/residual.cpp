#include "layers/residual.h"

#include "layers/add.h"

namespace qlimit {

Residual::Residual(std::shared_ptr<Layer> body, std::shared_ptr<Layer> shortcut)
    : body_(std::move(body)), shortcut_(std::move(shortcut)) {
  if (!body_) throw Error(ErrorKind::kUsage, {.what = "a residual block needs a body"});
  add_child("body", body_);
  if (shortcut_) add_child("shortcut", shortcut_);
}

Variable Residual::forward(const Variable& x) {
  const Variable y = (*body_)(x);
  return add(y, shortcut_ ? (*shortcut_)(x) : x);
}

}  // namespace qlimit
