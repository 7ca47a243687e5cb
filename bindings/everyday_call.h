// Whether calling a module does nothing but run its forward.
#pragma once

#include <nanobind/nanobind.h>

#include <vector>

#include "objects.h"

// A framework's modules run hooks and more around their forward. Here is told, for modules of one
// class, whether there is any of that, as the framework's own `__call__` would find it now.
class EverydayCall {
 public:
  // `kind` is the class, subclasses not included. `around` has: `methods`, pairs of a class and the
  // name of a function that must still be what it is now; `hooks`, dicts that must be empty; `own`,
  // names of attributes of a module that must be empty dicts; and `absent`, names of attributes
  // that it must not have itself, or be None.
  EverydayCall(nanobind::type_object kind, nanobind::object around) : kind_(std::move(kind)) {
    for (nanobind::handle pair : nanobind::tuple(around.attr("methods"))) {
      const nanobind::object owner = pair[0], name = pair[1];
      methods_.push_back({owner, name, nanobind::getattr(owner, name)});
    }
    for (nanobind::handle hooks : nanobind::tuple(around.attr("hooks")))
      hooks_.push_back(nanobind::cast<nanobind::dict>(hooks));
    for (nanobind::handle name : nanobind::tuple(around.attr("own")))
      own_.emplace_back(nanobind::cast<const char*>(name));
    for (nanobind::handle name : nanobind::tuple(around.attr("absent")))
      absent_.emplace_back(nanobind::cast<const char*>(name));
  }

  // The attributes of `module` if it is so, else nothing.
  nanobind::object attributes(nanobind::handle module) const {
    if (reinterpret_cast<PyObject*>(Py_TYPE(module.ptr())) != kind_.ptr()) return {};
    for (const Method& method : methods_)
      if (attribute(method.owner, method.name).ptr() != method.found.ptr()) return {};
    for (const nanobind::dict& hooks : hooks_)
      if (PyDict_Size(hooks.ptr()) != 0) return {};
    nanobind::object attributes =
        taken([&] { return PyObject_GenericGetDict(module.ptr(), nullptr); });
    PyObject* const found = attributes.ptr();
    for (const Name& name : own_) {
      PyObject* const hooks = PyDict_GetItemWithError(found, name.ptr());
      if (hooks == nullptr || !PyDict_Check(hooks) || PyDict_Size(hooks) != 0) return {};
    }
    for (const Name& name : absent_) {
      PyObject* const value = PyDict_GetItemWithError(found, name.ptr());
      if (value != nullptr && value != Py_None) return {};
    }
    return attributes;
  }

  // What is held leads back to whoever holds this: the collector has to see it.
  static int traverse(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    if (!nanobind::inst_ready(self)) return 0;
    const EverydayCall& call = *nanobind::inst_ptr<EverydayCall>(self);
    Py_VISIT(call.kind_.ptr());
    for (const Method& method : call.methods_) {
      Py_VISIT(method.owner.ptr());
      Py_VISIT(method.found.ptr());
    }
    return 0;
  }
  static int clear(PyObject* self) {
    EverydayCall& call = *nanobind::inst_ptr<EverydayCall>(self);
    call.methods_.clear();
    call.kind_.reset();
    return 0;
  }

 private:
  struct Method {
    nanobind::object owner, name, found;
  };

  nanobind::type_object kind_;
  std::vector<Method> methods_;
  std::vector<nanobind::dict> hooks_;
  std::vector<Name> own_, absent_;
};
