// TensorFlow's own allocator statistics for Node: what tf.config.experimental.get_memory_info gives in Python. There is
// neither an op nor a C function for them. The allocator of a device is one object per process, so this context, which
// is not the one of tfjs-node, sees what tfjs-node allocates.
#include <node_api.h>

#include <optional>
#include <string>

#include "tensorflow/c/c_api.h"
#include "tensorflow/c/eager/c_api.h"
#include "tensorflow/c/eager/tfe_context_internal.h"
#include "tensorflow/core/common_runtime/eager/context.h"
#include "tensorflow/core/framework/allocator.h"
#include "tensorflow/core/framework/device.h"

namespace {

// Lives as long as the process, as TensorFlow's devices do.
TFE_Context* SharedContext() {
  static TFE_Context* context = [] {
    TF_Status* status = TF_NewStatus();
    TFE_ContextOptions* options = TFE_NewContextOptions();
    TFE_Context* created = TFE_NewContext(options, status);
    TFE_DeleteContextOptions(options);
    TF_DeleteStatus(status);
    return created;
  }();
  return context;
}

// The allocator of the device that the only argument names; throws in JavaScript and gives nullptr where there is none.
tensorflow::Allocator* AllocatorOfArgument(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  char text[256];
  size_t length = 0;
  if (napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr) != napi_ok || count < 1 ||
      napi_get_value_string_utf8(env, argument, text, sizeof text, &length) != napi_ok) {
    napi_throw_type_error(env, nullptr, "Give the name of a device.");
    return nullptr;
  }
  TFE_Context* context = SharedContext();
  tensorflow::Device* device = nullptr;
  if (context == nullptr || !tensorflow::ContextFromInterface(tensorflow::unwrap(context))
                                 ->FindDeviceFromName(text, &device)
                                 .ok()) {
    const std::string message = "TensorFlow has no device " + std::string(text, length) + ".";
    napi_throw_range_error(env, nullptr, message.c_str());
    return nullptr;
  }
  return device->GetAllocator(tensorflow::AllocatorAttributes());
}

void SetNumber(napi_env env, napi_value object, const char* key, double number) {
  napi_value value;
  napi_create_double(env, number, &value);
  napi_set_named_property(env, object, key, value);
}

// {allocator, currentBytes, peakBytes, limitBytes?}; null where the allocator keeps no statistics.
napi_value Read(napi_env env, napi_callback_info info) {
  tensorflow::Allocator* allocator = AllocatorOfArgument(env, info);
  if (allocator == nullptr) return nullptr;
  napi_value result;
  const auto statistics = allocator->GetStats();
  if (!statistics.has_value()) {
    napi_get_null(env, &result);
    return result;
  }
  napi_create_object(env, &result);
  napi_value name;
  napi_create_string_utf8(env, allocator->Name().c_str(), NAPI_AUTO_LENGTH, &name);
  napi_set_named_property(env, result, "allocator", name);
  SetNumber(env, result, "currentBytes", static_cast<double>(statistics->bytes_in_use));
  SetNumber(env, result, "peakBytes", static_cast<double>(statistics->peak_bytes_in_use));
  if (statistics->bytes_limit.has_value())
    SetNumber(env, result, "limitBytes", static_cast<double>(*statistics->bytes_limit));
  return result;
}

// Sets the peak back to what is in use now; false where the allocator cannot.
napi_value ResetPeak(napi_env env, napi_callback_info info) {
  tensorflow::Allocator* allocator = AllocatorOfArgument(env, info);
  if (allocator == nullptr) return nullptr;
  napi_value result;
  napi_get_boolean(env, allocator->ClearStats(), &result);
  return result;
}

napi_value Init(napi_env env, napi_value exports) {
  napi_value function;
  napi_create_function(env, "read", NAPI_AUTO_LENGTH, Read, nullptr, &function);
  napi_set_named_property(env, exports, "read", function);
  napi_create_function(env, "resetPeak", NAPI_AUTO_LENGTH, ResetPeak, nullptr, &function);
  napi_set_named_property(env, exports, "resetPeak", function);
  return exports;
}

}  // namespace

NAPI_MODULE(allocator_statistics, Init)
