module perfskew.example/frames

go 1.17
