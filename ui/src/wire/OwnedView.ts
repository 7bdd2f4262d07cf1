export type OwnedView = { object: string, object_type: string, system: string | null, object_id: string, name: string | null, kind: string, standing: string, owners: number, suggestions: number, };
