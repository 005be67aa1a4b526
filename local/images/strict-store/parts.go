package main

import (
	"net/http"
	"sync"
)

// parts knows how large the parts of uploads are, by the upload and the part's number.
type parts struct {
	lock  sync.Mutex
	sizes map[string]map[int]int64
}

func (p *parts) note(upload string, number int, size int64) {
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.sizes == nil {
		p.sizes = map[string]map[int]int64{}
	}
	if p.sizes[upload] == nil {
		p.sizes[upload] = map[int]int64{}
	}
	p.sizes[upload][number] = size
}

// equal says whether all but the last of these parts are of one size, and the last is no larger.
func (p *parts) equal(upload string, numbers []int) bool {
	p.lock.Lock()
	defer p.lock.Unlock()
	sizes := p.sizes[upload]
	for at, number := range numbers {
		first, size := sizes[numbers[0]], sizes[number]
		if last := at == len(numbers)-1; (!last && size != first) || size > first {
			return false
		}
	}
	return true
}

// unequal refuses the end of an upload whose parts differ in size; it notes the parts that come.
func (s *store) unequal(call call) *refusal {
	switch {
	case call.method == http.MethodPut && call.upload != "":
		s.parts.note(call.upload, call.number, call.size)
	case s.dialect.equalParts && call.completed != nil && !s.parts.equal(call.upload, call.completed):
		return &refusal{http.StatusBadRequest, "InvalidPart", "All non-trailing parts must have the same length."}
	}
	return nil
}
