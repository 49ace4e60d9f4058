package sinktest

import (
	"sync"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// Messages returns a decoder for a message, described by a FileDescriptorProto in text
// form. It uses the protobuf library, which shares nothing with the code under test.
// Unknown fields fail the test.
func Messages(file string, name protoreflect.Name) func(t testing.TB, encoded []byte) protoreflect.Message {
	describe := sync.OnceValues(func() (protoreflect.MessageDescriptor, error) {
		var described descriptorpb.FileDescriptorProto
		if err := prototext.Unmarshal([]byte(file), &described); err != nil {
			return nil, err
		}
		descriptor, err := protodesc.NewFile(&described, nil)
		if err != nil {
			return nil, err
		}
		return descriptor.Messages().ByName(name), nil
	})
	return func(t testing.TB, encoded []byte) protoreflect.Message {
		t.Helper()
		descriptor, err := describe()
		if err != nil {
			t.Fatalf("describe %s: %v", name, err)
		}
		m := dynamicpb.NewMessage(descriptor)
		if err := proto.Unmarshal(encoded, m); err != nil {
			t.Fatalf("decode: %v", err)
		}
		checkKnown(t, m)
		return m
	}
}

func checkKnown(t testing.TB, m protoreflect.Message) {
	t.Helper()
	if len(m.GetUnknown()) > 0 {
		t.Errorf("%s has unknown fields: %x", m.Descriptor().Name(), m.GetUnknown())
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Message() == nil:
		case f.IsList():
			for i := range v.List().Len() {
				checkKnown(t, v.List().Get(i).Message())
			}
		default:
			checkKnown(t, v.Message())
		}
		return true
	})
}

// Field returns the value of a field.
func Field(m protoreflect.Message, name protoreflect.Name) protoreflect.Value {
	return m.Get(m.Descriptor().Fields().ByName(name))
}

// Inner returns the value of a message field.
func Inner(m protoreflect.Message, name protoreflect.Name) protoreflect.Message {
	return Field(m, name).Message()
}

// Has reports whether a field is set.
func Has(m protoreflect.Message, name protoreflect.Name) bool {
	field := m.Descriptor().Fields().ByName(name)
	return field != nil && m.Has(field)
}

// List returns the values of a repeated field.
func List(m protoreflect.Message, name protoreflect.Name) []protoreflect.Value {
	l := Field(m, name).List()
	all := make([]protoreflect.Value, l.Len())
	for i := range all {
		all[i] = l.Get(i)
	}
	return all
}
