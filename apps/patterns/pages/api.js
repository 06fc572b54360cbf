// Addresses of pictures and of their parts.

export const thumbnail = (id) => `/api/pictures/${id}/thumbnail`;
export const view = (id) => `/api/pictures/${id}/view`;

export function part(id, box, framed = false) {
  const where = box.map((one) => Number(one.toFixed(1))).join(",");
  return `/api/pictures/${id}/part?box=${where}${framed ? "&framed=true" : ""}`;
}
