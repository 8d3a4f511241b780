// NumPy's .npy from arbitrary bytes: an Error of kind kData, or an array that is read again from what is
// written of it.

#include <cstdlib>

#include "core/error.h"
#include "data/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace qlimit;
  try {
    const NpyArray array = parse_npy({data, size}, "fuzz");
    const std::string bytes = npy_bytes(array);
    const NpyArray again = parse_npy({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, "again");
    if (npy_bytes(again) != bytes || again.index() != array.index()) std::abort();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kData) std::abort();
  }
  return 0;
}
